import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { Ajv } from 'ajv';
import { Cron } from 'croner';
import { deadlines, findingsOfCargo, findingsOfNpm, lines } from '../maintenance/github/maintenance/audit.mjs';
import { due, read } from '../maintenance/github/maintenance/checklists.mjs';
import { missing, OPS, output } from './programs.mjs';

const GITHUB = path.join(OPS, 'maintenance/github');
const REPOSITORY = 'https://github.com/rezapp/rez-monitor/blob/main/';

/** The guide's items. */
const ITEMS = {
  daily: [
    'Review error logs',
    'Check monitoring dashboards',
    'Verify backup completion',
    'Review performance metrics',
    'Check disk space',
    'Monitor API response times',
  ],
  weekly: [
    'Review security alerts',
    'Update dependencies (patch versions)',
    'Review user feedback',
    'Check database performance',
    'Analyze error trends',
    'Review and update documentation',
  ],
  monthly: [
    'Scheduled maintenance window',
    'Security audit',
    'Performance optimization review',
    'Capacity planning review',
    'Update SSL certificates (if expiring)',
    'Review and update monitoring alerts',
    'Test disaster recovery procedures',
    'Review and update runbooks',
  ],
  quarterly: [
    'Major dependency updates',
    'Security penetration testing',
    'Load testing',
    'Disaster recovery drill',
    'Infrastructure cost review',
    'Team training on new tools',
    'Update emergency contacts',
    'Review SLA compliance',
  ],
};

for (const [name, expected] of Object.entries(ITEMS)) {
  test(`the ${name} checklist has every item of the guide, and says what does it`, () => {
    const items = [...read(name).body.matchAll(/^- \[ \] (.+?): (.+)$/gm)];
    assert.deepEqual(
      items.map(([, item]) => item),
      expected,
    );
    for (const [, item, how] of items) assert.ok(how.length > 20, item);
  });
}

test('what a checklist links to is in the repository', () => {
  for (const name of Object.keys(ITEMS)) {
    const links = [...read(name).body.matchAll(/\]\((.+?)\)/g)].map(([, link]) => link);
    for (const link of links) {
      assert.ok(link.startsWith(REPOSITORY), link);
      const file = path.join(OPS, '..', link.slice(REPOSITORY.length).split('#')[0]);
      assert.ok(fs.existsSync(file), link);
    }
  }
});

/** The days of a year on which a checklist is due. */
function days(name, year) {
  const found = [];
  for (
    let day = new Date(`${year}-01-01T06:00:00Z`);
    day.getUTCFullYear() === year;
    day = new Date(day.getTime() + 86_400_000)
  ) {
    if (due(day).includes(name)) found.push(day.toISOString().slice(0, 10));
  }
  return found;
}

test('checklists are due every day, on Mondays, seven days before each maintenance window, and every quarter', () => {
  assert.equal(days('daily', 2028).length, 366);
  assert.equal(days('weekly', 2027).length, 52);
  const weekLater = days('monthly', 2027).map((day) => new Date(Date.parse(day) + 7 * 86_400_000));
  assert.equal(weekLater.length, 12);
  for (const day of weekLater) assert.ok(day.getUTCDay() === 0 && day.getUTCDate() <= 7, day.toISOString());
  assert.deepEqual(days('monthly', 2026).slice(-2), ['2026-11-29', '2026-12-27']);
  assert.deepEqual(days('quarterly', 2027), ['2027-01-04', '2027-04-05', '2027-07-05', '2027-10-04']);
});

/** Runs a program of the folder with a `gh` that answers `answers`, by words of its command line, and keeps its arguments. */
function withGh(answers, program, ...args) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-gh-'));
  const calls = path.join(folder, 'calls');
  const gh = `#!${process.execPath}
const args = process.argv.slice(2);
require('fs').appendFileSync(${JSON.stringify(calls)}, JSON.stringify(args) + '\\n');
const known = Object.entries(${JSON.stringify(answers)}).find(([words]) => words.split(' ').every((word) => args.includes(word)));
console.log(known?.[1] ?? '');
`;
  fs.writeFileSync(path.join(folder, 'gh'), gh, { mode: 0o755 });
  const file = path.join(GITHUB, 'maintenance', program);
  const env = { ...process.env, PATH: `${folder}${path.delimiter}${process.env.PATH}` };
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { env }, (error, stdout, stderr) => {
      const made = fs.existsSync(calls)
        ? fs
            .readFileSync(calls, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
        : [];
      fs.rmSync(folder, { recursive: true });
      resolve({ code: error?.code ?? 0, stdout, stderr, made });
    });
  });
}

const windows = process.platform === 'win32' && 'the stand-in of gh is a script for Unix';

test('what is due is opened with its title, label and text, once', { skip: windows }, async () => {
  const open = JSON.stringify([{ title: 'Daily checklist, 2026-11-30' }]);
  const { code, made } = await withGh({ 'issue list': open }, 'checklists.mjs', '--date', '2026-11-30');
  assert.equal(code, 0);
  const created = made.filter(([, what]) => what === 'create');
  assert.equal(created.length, 1);
  const [, , , title, , label, , body] = created[0];
  assert.deepEqual([title, label], ['Weekly checklist, 2026-11-30', 'maintenance']);
  assert.match(body, /^- \[ \] Review security alerts: /m);
});

test('a date that is none is an error', async () => {
  const { code, stderr } = await withGh({}, 'checklists.mjs', '--date', 'tomorrow');
  assert.equal(code, 1);
  assert.equal(stderr, 'checklists.mjs: --date tomorrow: must be YYYY-MM-DD\n');
});

test('actionlint finds nothing to criticise in the workflows', { skip: missing('actionlint') }, () => {
  const folder = path.join(GITHUB, 'workflows');
  output('actionlint', '-shellcheck=', '-pyflakes=', ...fs.readdirSync(folder).map((name) => path.join(folder, name)));
});

test('what a workflow runs is in the folder', () => {
  for (const name of fs.readdirSync(path.join(GITHUB, 'workflows'))) {
    const text = fs.readFileSync(path.join(GITHUB, 'workflows', name), 'utf8');
    const named = [...text.matchAll(/\.github\/([\w/.-]+\.mjs)/g)].map(([, file]) => file);
    assert.ok(named.length > 0, name);
    for (const file of named) assert.ok(fs.existsSync(path.join(GITHUB, file)), file);
  }
});

const { $schema: _, ...renovate } = JSON.parse(fs.readFileSync(path.join(GITHUB, 'renovate.json'), 'utf8'));
const noSchema = missing('renovate-schema.json');

function schemaOfRenovate() {
  const folders = process.env.PATH.split(path.delimiter).map((folder) => path.join(folder, 'renovate-schema.json'));
  return JSON.parse(
    fs.readFileSync(
      folders.find((file) => fs.existsSync(file)),
      'utf8',
    ),
  );
}

test('the configuration is as the schema of Renovate says, and a misspelled field is not', { skip: noSchema }, () => {
  const { $schema: _, ...schema } = schemaOfRenovate();
  // The schema permits fields that it does not know, and the field of a manager is in its defaults only.
  const properties = { ...schema.properties, managerFilePatterns: { type: 'array', items: { type: 'string' } } };
  const strict = { ...schema, properties, additionalProperties: false };
  const valid = new Ajv({ strict: false, validateFormats: false }).compile(strict);
  assert.ok(valid(renovate), JSON.stringify(valid.errors));
  assert.ok(!valid({ ...renovate, sheduleing: ['at any time'] }));
  assert.ok(!valid({ ...renovate, prConcurrentLimit: 'ten' }));
  const matchers = schema.definitions.packageRules.items.allOf.flatMap(({ properties }) =>
    Object.keys(properties ?? {}),
  );
  const known = new Set([...matchers, ...Object.keys(schema.definitions)]);
  for (const rule of renovate.packageRules) {
    for (const field of Object.keys(rule)) assert.ok(known.has(field), field);
  }
});

test('Renovate reads the Compose files of this product', () => {
  const [pattern] = renovate['docker-compose'].managerFilePatterns;
  const matches = new RegExp(pattern.slice(1, -1));
  for (const name of fs.readdirSync(path.join(OPS, 'compose')).filter((it) => it.endsWith('.yml'))) {
    assert.match(`ops/compose/${name}`, matches);
  }
});

test('updates come in the patch windows of the guide', () => {
  const rules = Object.fromEntries(renovate.packageRules.map((rule) => [rule.groupName ?? 'major', rule]));
  const next = (name, count) => {
    const [pattern] = rules[name].schedule;
    const cron = new Cron(pattern, { timezone: renovate.timezone });
    // Renovate's schedules have the minute "*": the first minute of each window.
    const found = [];
    for (let at = new Date('2026-12-01T12:00:00Z'); found.length < count; ) {
      at = cron.nextRun(at);
      const day = at.toISOString();
      if (!found.some((it) => it.slice(0, 10) === day.slice(0, 10))) found.push(day.slice(0, 16));
    }
    return found;
  };
  assert.deepEqual(next('patch', 2), ['2026-12-07T00:00', '2026-12-14T00:00']);
  assert.deepEqual(next('minor', 2), ['2027-01-01T00:00', '2027-02-01T00:00']);
  assert.deepEqual(next('major', 2), ['2027-01-01T00:00', '2027-04-01T00:00']);
  assert.equal(rules.major.dependencyDashboardApproval, true);
  // There when the maintenance window comes, which is in the first seven days of a month.
  assert.deepEqual(next('infrastructure', 11).slice(0, 1), ['2026-12-22T00:00']);
  assert.deepEqual(next('infrastructure', 11).slice(-2), ['2026-12-31T00:00', '2027-01-22T00:00']);
  assert.deepEqual(renovate.vulnerabilityAlerts.schedule, ['at any time']);
  assert.equal(renovate.vulnerabilityAlerts.minimumReleaseAge, null);
});

/** As npm 10 prints it: one advisory, a package that is affected through it, and a moderate one. */
const NPM = JSON.stringify({
  auditReportVersion: 2,
  vulnerabilities: {
    express: { name: 'express', severity: 'high', via: ['qs'], fixAvailable: true },
    qs: {
      name: 'qs',
      severity: 'high',
      via: [
        {
          source: 1,
          name: 'qs',
          title: 'Prototype pollution',
          url: 'https://github.com/advisories/GHSA-hrpp-h998-j3pp',
          severity: 'high',
        },
      ],
      fixAvailable: { name: 'express', version: '5.3.0' },
    },
    ms: {
      name: 'ms',
      severity: 'moderate',
      via: [
        {
          source: 2,
          name: 'ms',
          title: 'Slow',
          url: 'https://github.com/advisories/GHSA-w9mr-4mfr-499f',
          severity: 'moderate',
        },
      ],
      fixAvailable: false,
    },
  },
});

test('a report of npm has each advisory once', () => {
  assert.deepEqual(
    findingsOfNpm(NPM).map(({ id, severity, fix }) => [id, severity, fix]),
    [
      ['GHSA-hrpp-h998-j3pp', 'high', true],
      ['GHSA-w9mr-4mfr-499f', 'moderate', false],
    ],
  );
  assert.throws(() => findingsOfNpm('{"message": "405 Method Not Allowed"}'), /405 Method Not Allowed/);
  assert.throws(() => findingsOfNpm('npm ERR!'), SyntaxError);
});

test('critical is to be deployed in 72 h, high in a month, from the publication', () => {
  const from = new Date('2026-11-01T10:00:00Z');
  assert.deepEqual(deadlines({ severity: 'critical' }, from), {
    evaluate: '2026-11-02',
    test: '2026-11-03',
    deploy: '2026-11-04',
  });
  assert.deepEqual(deadlines({ severity: 'high' }, from), {
    evaluate: '2026-11-08',
    test: '2026-11-15',
    deploy: '2026-12-01',
  });
  assert.equal(deadlines({ severity: 'moderate' }, from), undefined);
});

test('a report of cargo audit counts from the date of the advisory, and an overdue date is marked', () => {
  const advisory = { id: 'RUSTSEC-2026-0001', package: 'tokio', title: 'Unsound', date: '2026-11-01' };
  const report = JSON.stringify({ vulnerabilities: { list: [{ advisory, versions: { patched: ['>=1.50.0'] } }] } });
  const [finding] = findingsOfCargo(report);
  // The day itself is in time.
  assert.deepEqual(lines(finding, new Date('2026-11-03T22:00:00Z')), [
    'critical: tokio: Unsound (RUSTSEC-2026-0001, published 2026-11-01, a fix is there)',
    '  evaluate until 2026-11-02 (overdue), test until 2026-11-03, deploy until 2026-11-04',
    '  https://rustsec.org/advisories/RUSTSEC-2026-0001',
  ]);
  assert.throws(() => findingsOfCargo('{}'), /no list of vulnerabilities/);
});

test('date and severity of a finding come from GitHub; without it, dates count from the run, and it is critical', {
  skip: windows,
}, async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-audit-'));
  const report = path.join(folder, 'cargo-audit.json');
  const advisory = { id: 'RUSTSEC-2026-0002', aliases: ['GHSA-x'], package: 'qs', title: 'Pollution' };
  fs.writeFileSync(report, JSON.stringify({ vulnerabilities: { list: [{ advisory }] } }));
  const args = ['audit.mjs', '--date', '2026-11-10', '--report', report, folder];
  try {
    // The folder has no lock file: that audit is skipped by name, the other one counts.
    const answers = {
      'advisories/GHSA-x .severity': 'high',
      'advisories/RUSTSEC-2026-0002 .published_at': '2026-11-01T00:00:00Z',
    };
    const asked = await withGh(answers, ...args);
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /skipped: audit: .*rez-audit-/);
    assert.match(asked.stdout, /published 2026-11-01.*\n {2}evaluate until 2026-11-08 \(overdue\)/);
    const none = await withGh({}, ...args);
    assert.match(
      none.stdout,
      /^critical: .*found 2026-11-10.*\n {2}evaluate until 2026-11-11, test until 2026-11-12, deploy until 2026-11-13/m,
    );
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('without anything to audit the exit code says so', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-audit-'));
  const { status } = spawnSync(process.execPath, [path.join(GITHUB, 'maintenance/audit.mjs')], { cwd: folder });
  fs.rmSync(folder, { recursive: true });
  assert.equal(status, 2);
});
