/**
 * Known vulnerabilities of dependencies, with the dates until which they have to be evaluated, tested and deployed:
 * `node audit.mjs [--date YYYY-MM-DD] [--report FILE] [FOLDER ..]`
 *
 * It runs `npm audit` in each folder, by default in every folder below that has a package-lock.json. FILE is the output of
 * `cargo audit --json`. Exit code 0: nothing critical or high, 1: something is, 2: an audit was not possible.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/** The guide's times, in hours from the publication. A month has 30 days. */
export const DEADLINES = {
  critical: { evaluate: 24, test: 48, deploy: 72 },
  high: { evaluate: 7 * 24, test: 14 * 24, deploy: 30 * 24 },
};

/** Findings in the output of `npm audit --json`, by advisory. Throws if it is the report of a failure. */
export function findingsOfNpm(text) {
  const report = JSON.parse(text);
  if (!report.vulnerabilities) throw new Error(report.message ?? report.error?.summary ?? 'npm audit reports nothing');
  const found = new Map();
  for (const { via, fixAvailable } of Object.values(report.vulnerabilities)) {
    // A text is the name of another entry, through which this one is affected.
    for (const advisory of via.filter((it) => typeof it === 'object')) {
      found.set(advisory.url, {
        id: advisory.url.split('/').at(-1),
        package: advisory.name,
        severity: advisory.severity,
        title: advisory.title,
        url: advisory.url,
        fix: Boolean(fixAvailable),
      });
    }
  }
  return [...found.values()];
}

/** Findings in the output of `cargo audit --json`. RustSec publishes a vector and no word: they are critical, unless GitHub says less. */
export function findingsOfCargo(text) {
  const report = JSON.parse(text);
  if (!Array.isArray(report.vulnerabilities?.list))
    throw new Error('no list of vulnerabilities: not from cargo audit --json');
  return report.vulnerabilities.list.map(({ advisory, versions }) => ({
    id: advisory.id,
    package: advisory.package,
    severity: 'critical',
    ghsa: advisory.aliases?.find((it) => it.startsWith('GHSA-')),
    title: advisory.title,
    url: advisory.url ?? `https://rustsec.org/advisories/${advisory.id}`,
    fix: (versions?.patched ?? []).length > 0,
    published: advisory.date,
  }));
}

/** The dates of a finding; undefined for a severity that has none. */
export function deadlines({ severity }, from) {
  const hours = DEADLINES[severity];
  if (!hours) return undefined;
  const after = (count) => new Date(from.getTime() + count * 3_600_000).toISOString().slice(0, 10);
  return Object.fromEntries(Object.entries(hours).map(([step, count]) => [step, after(count)]));
}

/** A field of an advisory at GitHub; undefined without `gh`. */
function fieldAtGitHub(id, field) {
  const { status, stdout } = spawnSync('gh', ['api', `advisories/${id}`, '--jq', `.${field}`], { encoding: 'utf8' });
  return (status === 0 && stdout.trim()) || undefined;
}

/** One finding as text. Its dates count from its publication, or from today if that is not known. */
export function lines(finding, today) {
  const dates = deadlines(finding, finding.published ? new Date(finding.published) : today);
  const from = finding.published
    ? `published ${finding.published.slice(0, 10)}`
    : `found ${today.toISOString().slice(0, 10)}`;
  const fix = finding.fix ? 'a fix is there' : 'no fix yet';
  const until = (step) =>
    `${step} until ${dates[step]}${dates[step] < today.toISOString().slice(0, 10) ? ' (overdue)' : ''}`;
  return [
    `${finding.severity}: ${finding.package}: ${finding.title} (${finding.id}, ${from}, ${fix})`,
    `  ${until('evaluate')}, ${until('test')}, ${until('deploy')}`,
    `  ${finding.url}`,
  ];
}

/** The folders below one that have a package-lock.json. */
export function lockFolders(folder) {
  return fs
    .readdirSync(folder, { recursive: true })
    .filter((name) => path.basename(name) === 'package-lock.json' && !name.split(path.sep).includes('node_modules'))
    .map((name) => path.join(folder, path.dirname(name)))
    .sort();
}

function audit(folder) {
  const windows = process.platform === 'win32';
  const args = ['audit', '--json', '--package-lock-only'];
  const { stdout, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', shell: windows });
  if (error) throw error;
  return findingsOfNpm(stdout);
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { date: { type: 'string' }, report: { type: 'string', multiple: true } },
  });
  const today = values.date ? new Date(`${values.date}T00:00:00Z`) : new Date();
  if (Number.isNaN(today.getTime())) throw new Error(`--date ${values.date}: must be YYYY-MM-DD`);
  const jobs = [
    ...(positionals.length > 0 ? positionals : lockFolders('.')).map((folder) => [folder, () => audit(folder)]),
    ...(values.report ?? []).map((file) => [file, () => findingsOfCargo(fs.readFileSync(file, 'utf8'))]),
  ];
  if (jobs.length === 0) throw new Error('skipped: audit: no package-lock.json below, and no --report');
  const all = new Map();
  for (const [name, find] of jobs) {
    try {
      const found = find();
      for (const finding of found) {
        if (finding.ghsa) finding.severity = fieldAtGitHub(finding.ghsa, 'severity') ?? finding.severity;
      }
      const urgent = found.filter(({ severity }) => DEADLINES[severity]);
      console.log(`${name}: ${urgent.length} critical or high, ${found.length - urgent.length} others`);
      for (const finding of urgent) all.set(finding.id, finding);
    } catch (error) {
      console.error(`skipped: audit: ${name}: ${error.message}`);
      process.exitCode = 2;
    }
  }
  for (const finding of all.values()) {
    // npm does not say it.
    finding.published ??= fieldAtGitHub(finding.id, 'published_at');
    console.log(lines(finding, today).join('\n'));
  }
  if (all.size > 0) process.exitCode = 1;
}

if (process.argv[1] === import.meta.filename) {
  try {
    main();
  } catch (error) {
    console.error(`audit.mjs: ${error.message}`);
    process.exitCode = 2;
  }
}
