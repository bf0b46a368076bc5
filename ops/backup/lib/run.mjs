/** Saves every source in every repository. What fails stops nothing else. */
import fs from 'node:fs';
import path from 'node:path';
import { Failure } from './failure.mjs';
import { KINDS } from './kinds.mjs';
import * as manifest from './manifest.mjs';
import { readState, writeState } from './metrics.mjs';
import { attempt } from './process.mjs';
import { literal } from './restic.mjs';
import { duration, size } from './table.mjs';

/** A disk with less than this is full. */
const FULL_BYTES = 64 * 1024;

/** Makes one source ready, and writes its manifest. */
async function prepare(source, { settings, time }) {
  const manifestFolder = path.join(settings.stateFolder, 'manifests', source.name);
  const staging = path.join(settings.stateFolder, 'staging', source.name);
  fs.rmSync(staging, { recursive: true, force: true });
  fs.mkdirSync(staging, { recursive: true, mode: 0o700 });
  const prepared = await KINDS[source.kind].prepare(source, { settings, staging, manifestFolder }).catch((error) => {
    // Not every program says why it could not write.
    const { bavail, bsize } = fs.statfsSync(staging);
    if (bavail * bsize >= FULL_BYTES) throw error;
    throw new Failure(`${error.message}: no space left in ${staging}`, { cause: error });
  });
  const { stdout } = await attempt('restic', ['version']);
  const { paths, files, links, counts, versions, ...more } = prepared;
  const file = manifest.write(manifestFolder, {
    format: 1,
    source: source.name,
    kind: source.kind,
    service: source.service,
    host: settings.host,
    started: time.toISOString(),
    versions: { restic: stdout.trim().split(' ')[1], node: process.versions.node, ...versions },
    paths,
    counts,
    ...more,
    files,
    links,
  });
  const bytes = Object.values(files).reduce((sum, it) => sum + it.size, 0);
  return { paths: [file, ...paths], bytes, staging };
}

/** Writes the results. That they cannot be written is an error beside the others. */
function store(settings, state, errors) {
  try {
    writeState(settings, state);
  } catch (error) {
    errors.push(error.message);
  }
}

/** Saves what is ready in one repository. */
async function save(repository, source, prepared, { settings, time }) {
  await repository.open();
  // Below the source only: a pattern like `*.json` must not leave out the manifest.
  const below = (root) => (source.exclude ?? []).map((name) => `${literal(root === '/' ? '' : root)}/**/${name}`);
  const exclude = [...manifest.EXCLUDED, ...(source.paths ?? []).flatMap(below)];
  const what = { host: settings.host, source: source.name, paths: prepared.paths };
  return repository.backup({ ...what, time, exclude });
}

/** Removes what the retention does not keep, once for all sources. If that fails, what was saved is saved. */
async function forget({ settings, repositories, sources, log }, saved, state) {
  const errors = [];
  for (const repository of repositories.filter(({ name }) => saved.has(name))) {
    try {
      await repository.forget({ host: settings.host, retention: settings.retention });
    } catch (error) {
      const text = `old snapshots are not removed: ${error.message}`;
      errors.push(text);
      log(`FAILED: ${text}`);
      for (const { name } of sources) {
        const result = state.runs[name].repositories[repository.name];
        if (result.ok) Object.assign(result, { ok: false, error: text });
      }
    }
  }
  if (errors.length > 0) store(settings, state, errors);
  return errors;
}

/** Checks the repositories. */
export async function check({ settings, repositories, now, log }) {
  const state = readState(settings);
  const errors = [];
  for (const repository of repositories) {
    const before = state.checks[repository.name];
    const at = now().getTime();
    try {
      await repository.open();
      await repository.check(settings.checkSubset);
      state.checks[repository.name] = { ok: true, at, lastSuccess: at };
      log(`${repository.name}: no error in ${settings.checkSubset} of the data`);
    } catch (error) {
      state.checks[repository.name] = { ok: false, at, lastSuccess: before?.lastSuccess, error: error.message };
      errors.push(error.message);
    }
  }
  store(settings, state, errors);
  return errors;
}

export async function backUp({ settings, sources, repositories, now, log }) {
  const state = readState(settings);
  const errors = [];
  const saved = new Set();
  for (const source of sources) {
    const time = now();
    const clock = performance.now();
    let prepared;
    let unprepared;
    try {
      prepared = await prepare(source, { settings, time });
    } catch (error) {
      unprepared = error;
      errors.push(error.message);
      log(`${source.name}: FAILED: ${error.message}`);
    }
    const preparedMs = performance.now() - clock;
    state.runs[source.name] ??= { repositories: {} };
    const results = state.runs[source.name].repositories;
    for (const repository of repositories) {
      const begin = performance.now();
      const before = results[repository.name];
      const result = { ok: false, at: time.getTime(), lastSuccess: before?.lastSuccess };
      results[repository.name] = result;
      const spent = () => Math.round(preparedMs + performance.now() - begin);
      try {
        if (unprepared) throw unprepared;
        const { id, bytesAdded, deleted } = await save(repository, source, prepared, { settings, time });
        saved.add(repository.name);
        Object.assign(result, {
          ok: true,
          lastSuccess: time.getTime(),
          bytesAdded,
          bytes: prepared.bytes,
          ms: spent(),
        });
        const gone = deleted > 0 ? `, ${deleted} deleted meanwhile` : '';
        log(
          `${source.name}: snapshot ${id.slice(0, 8)} in ${repository.name}, ${size(bytesAdded)} added${gone}, ${duration(spent() / 1000)}`,
        );
      } catch (error) {
        Object.assign(result, { error: error.message, ms: spent() });
        if (error === unprepared) continue;
        errors.push(error.message);
        log(`${source.name}: FAILED: ${error.message}`);
      }
    }
    fs.rmSync(path.join(settings.stateFolder, 'staging', source.name), { recursive: true, force: true });
    // After each source: a run that is killed has told of those before.
    store(settings, state, errors);
  }
  return [...errors, ...(await forget({ settings, repositories, sources, log }, saved, state))];
}
