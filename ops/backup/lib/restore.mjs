/**
 * Replaces data with that of a snapshot. Everything is restored beside the present data and compared with its manifest first; only
 * when all of it is right is anything replaced, and the present data is kept until all of it is in its place.
 */
import fs from 'node:fs';
import path from 'node:path';
import { confirm } from './confirm.mjs';
import { Failure } from './failure.mjs';
import * as manifest from './manifest.mjs';
import * as mongodb from './mongodb.mjs';
import { bytesOf, locate, needSpace } from './plan.mjs';
import { startAgain } from './process.mjs';
import * as redis from './redis.mjs';
import { Place } from './swap.mjs';
import { duration, moment, size, table } from './table.mjs';

/** The places on one file system, which are restored together. */
function byStaging(places) {
  const groups = new Map();
  for (const place of places) groups.set(place.staging, [...(groups.get(place.staging) ?? []), place]);
  return groups;
}

/** Restores one source to its places, and compares it. Returns where each path of the snapshot is. */
async function stage({ source, repository, snapshot, saved, places }, { log, target }) {
  for (const [staging, same] of byStaging(places)) {
    fs.mkdirSync(staging, { recursive: true, mode: 0o700 });
    const paths = same.map(({ saved: root }) => root);
    await repository.restore(snapshot.id, paths, staging);
  }
  const where = (file) => {
    const place = places.find(({ saved: root }) => file === root || file.startsWith(`${root}/`));
    return place.staged(file);
  };
  // Beside everything, a snapshot that changed a lot while it was made does no harm.
  const counts = await manifest.verify(saved, where, { mostly: !target });
  if (source.kind === 'redis') await redis.check(where(saved.paths[0]), saved);
  const others = counts.changed + counts.deleted;
  const note = others > 0 ? `; ${others} changed while they were saved` : '';
  log(`${source.name}: ${counts.files} files, ${size(counts.bytes)}, as the manifest says${note}`);
  return where;
}

/** Where the paths of a snapshot go. */
function placesOf({ source, saved }, { settings, id, target }) {
  const folder = path.join(settings.stateFolder, 'staging');
  const live = (file) => {
    if (target) return path.join(target, source.name, file);
    if (source.kind === 'redis') return source.dumpFile;
    // MongoDB has no file to be replaced: its archive is only staged.
    return source.kind === 'mongodb' ? path.join(folder, source.name, path.basename(file)) : file;
  };
  if (!target && source.kind === 'mongodb') fs.mkdirSync(path.join(folder, source.name), { recursive: true });
  return saved.paths.map((file) => new Place(file, live(file), id));
}

function describe(plan, now) {
  const rows = plan.map(({ source, repository, snapshot, saved, places }) => [
    source.name,
    `${snapshot.short} (${repository.name})`,
    moment(snapshot.time),
    duration((now - snapshot.time) / 1000),
    Object.keys(saved.files).length,
    size(bytesOf(saved)),
    source.kind === 'mongodb' ? 'the database' : places.map(({ live }) => live).join(', '),
  ]);
  return table(['source', 'snapshot', 'taken', 'age', 'files', 'size', 'replaces'], rows);
}

/** The file that is put in a place belongs to whom the present one, or its folder, belongs to: Redis must read it. */
function own({ live, staged, saved }) {
  const of = fs.statSync(live, { throwIfNoEntry: false }) ?? fs.statSync(path.dirname(live));
  if (process.getuid?.() === 0) fs.chownSync(staged(saved), of.uid, of.gid);
}

/** Replaces one source. Returns what must be said of it. */
async function replace(part, context) {
  const { source, saved, places, where } = part;
  const { settings, oplogLimit, id, target } = context;
  if (!target && source.kind === 'mongodb') {
    const folder = path.join(settings.stateFolder, 'before-restore');
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const before = path.join(folder, `${source.name}-${id}.archive`);
    const { documents } = await mongodb.replace(source, saved, where, { settings, oplogLimit, before });
    return `${documents} documents restored; what the database had before is in ${before}`;
  }
  if (!target && source.kind === 'redis') {
    await redis.stop(source, settings, () => {
      part.stopped = true;
    });
    const [place] = places;
    own({ live: place.live, staged: (file) => place.staged(file), saved: place.saved });
    place.replace();
    const loaded = await redis.resume(source, saved, settings);
    return loaded ? `${loaded.keys} keys loaded` : `${saved.counts.keys} keys in ${source.dumpFile}: start Redis now`;
  }
  for (const place of places) place.replace();
  return `${places.map(({ live }) => live).join(', ')} replaced`;
}

/** Fails if a file system has less space than all that is restored to it needs. */
function needSpaceFor(plan) {
  const needed = new Map();
  for (const { saved, places } of plan) {
    for (const { saved: root, area } of places) {
      const inside = Object.entries(saved.files).filter(([file]) => file === root || file.startsWith(`${root}/`));
      const { dev } = fs.statSync(area);
      const of = needed.get(dev) ?? { area, bytes: 0 };
      of.bytes += inside.reduce((sum, [, it]) => sum + it.size, 0);
      needed.set(dev, of);
    }
  }
  for (const { area, bytes } of needed.values()) needSpace(area, bytes, 'the restore');
}

/** Puts everything back. Returns what could not be. */
async function undo(plan, settings) {
  startAgain();
  const errors = [];
  for (const { source, places, stopped } of [...plan].reverse()) {
    const moved = places.filter((it) => it.moved.length > 0).map(({ old }) => old);
    try {
      // A Redis that runs with the restored file would write it over the one that is put back.
      if (stopped && moved.length > 0) await redis.stopAgain(source, settings);
      for (const place of [...places].reverse()) place.undo();
    } catch (error) {
      errors.push(`${source.name} is not back (${error.message}), what it had before is in ${moved.join(', ')}`);
      continue;
    }
    if (stopped) await redis.start(source).catch((error) => errors.push(`Redis is not started (${error.message})`));
  }
  return errors;
}

/** Restores these sources. `target`: a folder that gets the data, and nothing is replaced. Returns the results. */
export async function restore(context) {
  const { settings, sources, repositories, host, snapshot, at, target, yes, now, log } = context;
  const id = now().toISOString().replace(/\D/g, '').slice(0, 14);
  const plan = [];
  for (const source of sources) {
    const found = await locate(source, { repositories, host, id: snapshot, at, log });
    plan.push({ ...found, places: placesOf(found, { settings, id, target }) });
  }
  for (const { places } of plan) for (const place of places) place.refuseLeftovers();
  for (const { places } of plan) for (const place of places) place.refuseMounts();
  for (const { places } of plan) for (const place of places) place.removeLeftStaging();
  needSpaceFor(plan);
  log(describe(plan, now()));
  if (!target) await confirm(`This replaces the data of ${settings.host}.`, settings.host, { yes });

  const places = plan.flatMap((it) => it.places);
  const results = [];
  try {
    for (const part of plan) {
      const begin = performance.now();
      part.where = await stage(part, { log, target }).catch((error) => {
        const others = settings.repositories.map(({ name }) => name).filter((name) => name !== part.repository.name);
        const advice = others.length > 0 ? `; try --repository ${others.join(' or ')}` : '';
        throw new Failure(`${error.message}${advice}`, { cause: error });
      });
      part.seconds = (performance.now() - begin) / 1000;
    }
    try {
      for (const part of plan) {
        const begin = performance.now();
        const text = await replace(part, { ...context, id });
        const seconds = part.seconds + (performance.now() - begin) / 1000;
        log(`${part.source.name}: ${text} (${duration(seconds)})`);
        results.push({ source: part.source.name, seconds, snapshot: part.snapshot.id });
      }
    } catch (error) {
      const others = (await undo(plan, settings)).map((it) => `; except: ${it}`).join('');
      const database = results.find(
        ({ source }) => plan.find((it) => it.source.name === source).source.kind === 'mongodb',
      );
      const except = database ? `; except ${database.source}, which is restored` : '';
      throw new Failure(`${error.message}: the files that were there before are back${except}${others}`, {
        cause: error,
      });
    }
    for (const place of places) place.removeOld();
  } finally {
    for (const place of places) place.removeStaging();
  }
  return results;
}
