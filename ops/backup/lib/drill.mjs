/** Restores the last snapshots into a scratch folder, uses them, measures the time, and compares it with the objectives. */
import fs from 'node:fs';
import path from 'node:path';
import { KINDS } from './kinds.mjs';
import * as manifest from './manifest.mjs';
import { readState, writeState } from './metrics.mjs';
import { bytesOf, locate, needSpace } from './plan.mjs';
import { duration, moment, size, table } from './table.mjs';

/** The drill works in this folder of the one that the settings name, and empties nothing else. */
const WORK = 'rez-backup-drill';

/** Restores one source, and uses it. */
async function rehearse(source, { settings, repositories, now, log, work }) {
  const begin = performance.now();
  const result = { source: source.name, service: source.service, ok: false };
  const folder = path.join(work, source.name);
  try {
    const { repository, snapshot, saved } = await locate(source, { repositories, host: settings.host, log });
    Object.assign(result, { repository: repository.name, snapshot: snapshot.short });
    const previous = await repository.before(snapshot);
    // A drill right after a run must not hide how long the next one can be away.
    const between = previous ? snapshot.time - previous.time : 0;
    result.rpo = Math.max(now() - Date.parse(saved.started), between) / 1000;
    needSpace(work, bytesOf(saved), `the drill of ${source.name}`);
    await repository.restore(snapshot.id, saved.paths, folder);
    const where = (file) => path.join(folder, file);
    const counts = await manifest.verify(saved, where);
    const used = await KINDS[source.kind].rehearse(source, saved, where, { settings });
    Object.assign(result, {
      files: counts.files,
      bytes: counts.bytes,
      changed: counts.changed + counts.deleted,
      ...used,
    });
    result.ok = true;
  } catch (error) {
    result.error = error.message;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
  result.rto = (performance.now() - begin) / 1000;
  return result;
}

/** One row for each service, and one for the complete system: sources are restored one after the other. */
function services(results, objectives) {
  const rows = new Map();
  const add = (service, { rto, rpo, ok }) => {
    const { title, rto: rtoTarget, rpo: rpoTarget } = objectives[service];
    const row = rows.get(service) ?? { service, title, ok: true, rto: 0, rtoTarget, rpo, rpoTarget };
    row.ok &&= ok;
    row.rto += rto;
    if (rpo !== undefined) row.rpo = Math.max(row.rpo ?? 0, rpo);
    rows.set(service, row);
  };
  for (const result of results) add(result.service, result);
  for (const result of results) {
    // What has no target is elsewhere too, and loses nothing.
    const counts = objectives[result.service].rpo !== undefined;
    add('system', { ...result, rpo: counts ? result.rpo : undefined });
  }
  return [...rows.values()];
}

const compare = (value, target) => {
  if (target === undefined) return duration(value);
  return `${duration(value)} of ${duration(target)}${value > target ? ': ABOVE' : ''}`;
};

/** Services that miss a target. */
export const missed = (rows) =>
  rows.filter((it) => it.rto > it.rtoTarget || (it.rpoTarget !== undefined && it.rpo > it.rpoTarget));

function report({ settings, time, results, rows }) {
  const details = (it) => {
    if (!it.ok) return `FAILED: ${it.error}`;
    const parts = [`${it.files} files, ${size(it.bytes)}, SHA-256 as in the manifest`];
    if (it.changed > 0) parts.push(`${it.changed} changed while they were saved`);
    if (it.keys !== undefined) parts.push(`${it.keys} keys loaded into a scratch Redis`);
    if (it.documents !== undefined) parts.push(`${it.documents} documents restored into the scratch database`);
    if (it.note) parts.push(it.note);
    return parts.join('; ');
  };
  const targets = rows.map((it) => [
    it.title,
    it.ok ? 'yes' : 'NO',
    compare(it.rto, it.rtoTarget),
    it.rpo === undefined ? '-' : compare(it.rpo, it.rpoTarget),
  ]);
  const sources = results.map((it) => [
    it.source,
    it.snapshot ? `${it.snapshot} (${it.repository})` : '-',
    duration(it.rto),
    details(it).replaceAll('|', '/'),
  ]);
  return [
    `# Restore drill of ${settings.host}, ${moment(time)}`,
    table(['service', 'restored', 'RTO', 'RPO'], targets),
    table(['source', 'snapshot', 'time', 'result'], sources),
    'RTO is the time that this program needed, without that of people, of a new host and of the deployment. RPO is the age of the data, or the time between the last two snapshots if that is longer.',
  ].join('\n\n');
}

/** Returns the errors, and the services that miss a target. */
export async function drill({ settings, sources, repositories, now, log }) {
  const time = now();
  const work = path.join(settings.drill.folder, WORK);
  fs.rmSync(work, { recursive: true, force: true });
  fs.mkdirSync(work, { recursive: true, mode: 0o700 });
  const results = [];
  for (const source of sources) results.push(await rehearse(source, { settings, repositories, now, log, work }));
  fs.rmSync(work, { recursive: true, force: true });
  const rows = services(results, settings.objectives);
  const ok = results.every((it) => it.ok);
  const text = report({ settings, time, results, rows });
  log(text);
  const errors = results.filter((it) => !it.ok).map((it) => it.error);
  try {
    const folder = path.join(settings.stateFolder, 'reports');
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = path.join(folder, `drill-${time.toISOString().replace(/\D/g, '').slice(0, 14)}`);
    fs.writeFileSync(`${file}.md`, `${text}\n`);
    fs.writeFileSync(
      `${file}.json`,
      `${JSON.stringify({ time, ok, services: rows, sources: results }, undefined, 2)}\n`,
    );
    log(`\nreport: ${file}.md`);
    // A drill of some sources says nothing about the others.
    if (sources.length === settings.sources.length) {
      const state = readState(settings);
      const at = time.getTime();
      state.drill = { ok, at, lastSuccess: ok ? at : state.drill?.lastSuccess, services: rows };
      writeState(settings, state);
    }
  } catch (error) {
    errors.push(error.message);
  }
  return { errors, missed: missed(rows) };
}
