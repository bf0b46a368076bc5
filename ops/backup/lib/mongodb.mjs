/** MongoDB: an archive of mongodump, with the part of the oplog that makes it one point in time. */
import fs from 'node:fs';
import path from 'node:path';
import { Failure } from './failure.mjs';
import * as manifest from './manifest.mjs';
import { attempt, run } from './process.mjs';
import { secret } from './settings.mjs';

/** Writes the URI to a file that only this user can read: arguments can be read by everybody on the host. */
function config(folder, uri) {
  const file = path.join(folder, 'mongodb.yml');
  fs.writeFileSync(file, `uri: ${JSON.stringify(uri)}\n`, { mode: 0o600 });
  return file;
}

/** The arguments of mongodump. The archive is not compressed: restic does that, and finds what has not changed. */
export const dumpArguments = (config, archive, oplog) => [
  `--config=${config}`,
  `--archive=${archive}`,
  ...(oplog ? ['--oplog'] : []),
];

/** The arguments of mongorestore. `oplogLimit`: seconds since 1970, or SECONDS:ORDINAL; later operations are left out. */
export const restoreArguments = (config, archive, { oplog, oplogLimit }) => [
  `--config=${config}`,
  `--archive=${archive}`,
  '--drop',
  ...(oplog ? ['--oplogReplay'] : []),
  ...(oplogLimit ? [`--oplogLimit=${oplogLimit}`] : []),
];

/** The documents of each collection, as mongodump reports them. */
export function dumped(log) {
  const collections = {};
  for (const [, name, documents] of log.matchAll(/done dumping (\S+) \((\d+) documents?\)/g)) {
    collections[name] = Number(documents);
  }
  return collections;
}

/** The documents that mongorestore reports. */
export function restored(log) {
  const end = log.match(/(\d+) document\(s\) restored successfully\. (\d+) document\(s\) failed to restore/);
  if (!end) throw new Failure('mongorestore did not report how many documents it has restored');
  return { documents: Number(end[1]), failed: Number(end[2]) };
}

const sum = (counts) => Object.values(counts).reduce((total, it) => total + it, 0);

export async function prepare(source, { settings, staging }) {
  const archive = path.join(staging, 'mongodb.archive');
  const oplog = source.oplog ?? true;
  const uri = secret(settings, source.uri, `source ${source.name}`);
  const { stderr } = await run('mongodump', dumpArguments(config(staging, uri), archive, oplog), {
    where: `source ${source.name}, to ${archive}`,
  });
  const version = (await attempt('mongodump', ['--version'])).stdout.match(/version: (\S+)/)?.[1];
  const collections = dumped(stderr);
  const { files, links } = await manifest.list([archive]);
  const counts = { documents: sum(collections), collections };
  return { paths: [archive], files, links, counts, versions: { mongodump: version }, oplog };
}

/** Restores an archive into a database, and compares the documents with the manifest. */
async function load(source, saved, archive, { uri, folder, oplogLimit }) {
  const args = restoreArguments(config(folder, uri), archive, { oplog: saved.oplog, oplogLimit });
  const { stderr } = await run('mongorestore', args, { where: `source ${source.name}` });
  const { documents, failed } = restored(stderr);
  if (failed > 0) throw new Failure(`source ${source.name}: ${failed} documents failed to restore`);
  if (documents !== saved.counts.documents) {
    throw new Failure(
      `source ${source.name}: mongorestore reports ${documents} documents; the manifest has ${saved.counts.documents}`,
    );
  }
  return { documents };
}

/** Restores into the scratch database that the settings name; without one the archive is only compared. */
export async function rehearse(source, saved, where, { settings }) {
  const name = settings.drill.mongodbUri;
  if (!name) return { note: 'not loaded: drill.mongodbUri names no scratch database' };
  const uri = secret(settings, name, 'the drill');
  if (uri === secret(settings, source.uri, `source ${source.name}`)) {
    throw new Failure(
      `drill.mongodbUri (${name}) is the database of source ${source.name}: the drill would drop its data`,
    );
  }
  const archive = where(saved.paths[0]);
  return load(source, saved, archive, { uri, folder: path.dirname(archive) });
}

/** Saves what the database has now, then restores. Returns the path of that archive. */
export async function replace(source, saved, where, { settings, oplogLimit, before }) {
  const uri = secret(settings, source.uri, `source ${source.name}`);
  const archive = where(saved.paths[0]);
  const folder = path.dirname(archive);
  await run('mongodump', dumpArguments(config(folder, uri), before, false), {
    where: `source ${source.name}, its present state to ${before}`,
  });
  try {
    return await load(source, saved, archive, { uri, folder, oplogLimit });
  } catch (error) {
    throw new Failure(
      `${error.message}; what the database had before is in ${before}: mongorestore --archive=${before} --drop`,
    );
  }
}
