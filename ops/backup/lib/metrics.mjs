/** The last results, in a file of the state folder, and as metrics for the textfile collector of node_exporter. */
import fs from 'node:fs';
import path from 'node:path';
import { Failure } from './failure.mjs';

const STATE = 'state.json';
const METRICS = 'rez_backup.prom';

const EMPTY = { runs: {}, checks: {}, drill: undefined };

/** The last results. A damaged file is as none: the next run writes it again. */
export function readState(settings) {
  try {
    return { ...EMPTY, ...JSON.parse(fs.readFileSync(path.join(settings.stateFolder, STATE), 'utf8')) };
  } catch {
    return structuredClone(EMPTY);
  }
}

/** Writes a file under another name and renames it: nobody reads half of it. */
function replace(file, text, mode) {
  const part = `${file}.part`;
  try {
    fs.writeFileSync(part, text, { mode });
    fs.renameSync(part, file);
  } catch (error) {
    fs.rmSync(part, { force: true });
    throw new Failure(`cannot write ${file}: ${error.message}`, { cause: error });
  }
}

/** Writes both files. The metrics are written even if the state folder is full. */
export function writeState(settings, state) {
  const metrics = path.join(settings.textfileFolder, METRICS);
  const errors = [];
  for (const action of [
    // node_exporter is another user.
    () => replace(metrics, render(settings, state), 0o644),
    () => replace(path.join(settings.stateFolder, STATE), `${JSON.stringify(state, undefined, 2)}\n`, 0o600),
  ]) {
    try {
      action();
    } catch (error) {
      errors.push(error.message);
    }
  }
  if (errors.length > 0) throw new Failure(errors.join('; '));
}

const quoted = (text) => String(text).replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');

const seconds = (ms) => ms / 1000;

/** The metrics in Prometheus' text format. What is in the settings and never succeeded has the time 0, so that it is too old. */
export function render(settings, state) {
  const lines = [];
  const gauge = (name, help, samples) => {
    if (samples.length === 0) return;
    lines.push(`# HELP rez_backup_${name} ${help}`, `# TYPE rez_backup_${name} gauge`);
    for (const [labels, value] of samples) {
      const text = Object.entries(labels).map(([label, it]) => `${label}="${quoted(it)}"`);
      lines.push(`rez_backup_${name}${text.length > 0 ? `{${text.join(',')}}` : ''} ${value}`);
    }
  };
  const runs = settings.sources.flatMap(({ name: source }) =>
    settings.repositories.map(({ name: repository }) => [
      { source, repository },
      state.runs[source]?.repositories[repository] ?? {},
    ]),
  );
  const ran = runs.filter(([, it]) => it.at !== undefined);
  const saved = ran.filter(([, it]) => it.bytesAdded !== undefined);
  gauge(
    'last_success_timestamp_seconds',
    'Time of the last snapshot that was saved without an error.',
    runs.map(([labels, it]) => [labels, seconds(it.lastSuccess ?? 0)]),
  );
  gauge(
    'last_run_timestamp_seconds',
    'Time of the last try.',
    ran.map(([labels, it]) => [labels, seconds(it.at)]),
  );
  gauge(
    'last_run_success',
    'Whether the last try was saved without an error.',
    ran.map(([labels, it]) => [labels, it.ok ? 1 : 0]),
  );
  gauge(
    'duration_seconds',
    'Duration of the last try, with the removal of old snapshots.',
    ran.map(([labels, it]) => [labels, seconds(it.ms)]),
  );
  gauge(
    'bytes_added',
    'Bytes that the last snapshot added to the repository.',
    saved.map(([labels, it]) => [labels, it.bytesAdded]),
  );
  gauge(
    'source_bytes',
    'Size of what the last snapshot contains.',
    saved.map(([labels, it]) => [labels, it.bytes]),
  );
  const checks = settings.repositories.map(({ name }) => [{ repository: name }, state.checks[name]]);
  const checked = checks.filter(([, it]) => it);
  gauge(
    'check_last_success_timestamp_seconds',
    'Time of the last check of the repository without an error.',
    checks.map(([labels, it]) => [labels, seconds(it?.lastSuccess ?? 0)]),
  );
  gauge(
    'check_success',
    'Whether the last check found no error.',
    checked.map(([labels, it]) => [labels, it.ok ? 1 : 0]),
  );
  const { drill } = state;
  gauge('drill_last_success_timestamp_seconds', 'Time of the last drill in which everything was restored.', [
    [{}, seconds(drill?.lastSuccess ?? 0)],
  ]);
  if (drill) {
    // Not `service`: the target that is scraped has that label.
    const services = drill.services.map((it) => [{ objective: it.service }, it]);
    const each = (key) => services.filter(([, it]) => it[key] !== undefined).map(([labels, it]) => [labels, it[key]]);
    gauge('drill_success', 'Whether the last drill restored everything.', [[{}, drill.ok ? 1 : 0]]);
    gauge('drill_rto_seconds', 'Time that the last drill needed.', each('rto'));
    gauge('drill_rto_target_seconds', 'Time that it may need.', each('rtoTarget'));
    gauge(
      'drill_rpo_seconds',
      'Age of the data that the last drill restored, or the time between the last two snapshots if that is longer.',
      each('rpo'),
    );
    gauge('drill_rpo_target_seconds', 'Age that it may have.', each('rpoTarget'));
  }
  return `${lines.join('\n')}\n`;
}
