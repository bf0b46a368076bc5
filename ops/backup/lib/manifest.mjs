/** What a snapshot contains: written before the backup, saved in the snapshot, and compared with what was restored. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from './failure.mjs';

export const MANIFEST = 'rez-backup-manifest.json';

/** What a restore leaves beside the data while it works is not data. */
export const STAGED = '.rez-restore-';
export const OLD = '.rez-old-';
export const EXCLUDED = [`${STAGED}*`, `*${OLD}*`];
const isExcluded = (name) => name.startsWith(STAGED) || name.includes(OLD);

/** The clock of a file system is coarser than the one of the process. */
const CLOCK_MS = 1000;

/** More differences than this are counted, not listed. */
const LISTED = 5;

export async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file), hash);
  return hash.digest('hex');
}

/** A pattern of a name, in which `*` is any text: the part of restic's patterns that both understand in the same way. */
export const patternOf = (text) => new RegExp(`^${text.replace(/[.+^${}()|]/g, '\\$&').replaceAll('*', '.*')}$`, 's');

/** Ignores a file that is deleted while the folder is read. */
async function unlessGone(action) {
  try {
    return await action();
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Lists the files below these paths with size and SHA-256. A file whose size and times are those of `known` is not read again: media
 * files are many, and do not change. A name that a pattern of `exclude` matches is left out.
 */
export async function list(roots, known = {}, exclude = []) {
  const patterns = exclude.map(patternOf);
  const isLeftOut = (name) => isExcluded(name) || patterns.some((it) => it.test(name));
  const files = {};
  const links = {};
  const visit = async (file) => {
    const stat = await fs.promises.lstat(file);
    if (stat.isDirectory()) {
      for (const name of await fs.promises.readdir(file)) {
        if (!isLeftOut(name)) await unlessGone(() => visit(path.join(file, name)));
      }
    } else if (stat.isSymbolicLink()) {
      links[file] = await fs.promises.readlink(file);
    } else if (stat.isFile()) {
      const { size, mtimeMs, ctimeMs } = stat;
      const before = known[file];
      const same = before?.size === size && before.mtimeMs === mtimeMs && before.ctimeMs === ctimeMs;
      files[file] = { size, mtimeMs, ctimeMs, sha256: same ? before.sha256 : await sha256(file) };
    }
  };
  for (const root of roots) await visit(root);
  return { files, links };
}

/** The manifest in a folder. */
export const pathIn = (folder) => path.join(folder, MANIFEST);

/** Writes a manifest. Returns its path. */
export function write(folder, manifest) {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = pathIn(folder);
  fs.writeFileSync(`${file}.part`, JSON.stringify(manifest), { mode: 0o600 });
  fs.renameSync(`${file}.part`, file);
  return file;
}

/** The manifest that the last backup of this host wrote here; undefined without one. It only saves reading files again. */
export function last(folder) {
  try {
    return parse(fs.readFileSync(pathIn(folder), 'utf8'));
  } catch {
    return undefined;
  }
}

export function parse(text) {
  const manifest = JSON.parse(text);
  if (manifest.format !== 1) throw new Failure(`its manifest has format ${manifest.format}; this program reads 1`);
  return manifest;
}

/** Reads the manifest of a snapshot. */
export async function read(repository, snapshot) {
  const file = snapshot.paths.find((it) => path.posix.basename(it) === MANIFEST);
  const where = `repository ${repository.name}: snapshot ${snapshot.short} of ${snapshot.source}`;
  if (!file) throw new Failure(`${where} has no manifest: it was not made by rez-backup`);
  const text = await repository.dump(snapshot.id, file);
  try {
    return parse(text);
  } catch (error) {
    throw new Failure(`${where}: its manifest cannot be read: ${error.message}`);
  }
}

/** True if the nearest folder above the file that was restored has changed since the manifest was written. */
function changedAbove(file, top, started) {
  for (let folder = path.dirname(file); folder.startsWith(top); folder = path.dirname(folder)) {
    const stat = fs.lstatSync(folder, { throwIfNoEntry: false });
    if (stat) return stat.mtimeMs >= started - CLOCK_MS;
  }
  return false;
}

/**
 * Compares restored files with the manifest. `where` returns the place to which a path was restored. A file that was changed or
 * deleted between the manifest and the snapshot is counted, not an error: its time, or that of its folder, says so. `mostly`: most files
 * must be as they were.
 */
export async function verify(manifest, where, { mostly = true } = {}) {
  const started = Date.parse(manifest.started);
  const counts = { files: 0, bytes: 0, changed: 0, deleted: 0 };
  const errors = [];
  const top = (file) => where(manifest.paths.find((root) => file === root || file.startsWith(`${root}/`)));
  for (const [file, { size, mtimeMs, sha256: expected }] of Object.entries(manifest.files)) {
    const restored = where(file);
    const stat = fs.lstatSync(restored, { throwIfNoEntry: false });
    if (!stat) {
      if (changedAbove(restored, top(file), started)) counts.deleted += 1;
      else errors.push(`${file} is missing`);
      continue;
    }
    counts.files += 1;
    counts.bytes += stat.size;
    if (stat.size === size && (await sha256(restored)) === expected) continue;
    // With the time of the manifest it did not change: it is damaged.
    if (stat.mtimeMs >= started - CLOCK_MS && stat.mtimeMs !== mtimeMs) counts.changed += 1;
    else errors.push(`${file} has ${stat.size === size ? 'another SHA-256' : `${stat.size} bytes instead of ${size}`}`);
  }
  for (const [file, target] of Object.entries(manifest.links)) {
    const restored = where(file);
    const stat = fs.lstatSync(restored, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() && fs.readlinkSync(restored) === target) continue;
    if (stat ? stat.mtimeMs >= started - CLOCK_MS : changedAbove(restored, top(file), started)) counts.changed += 1;
    else errors.push(`the symbolic link ${file} is not as it was`);
  }
  const all = Object.keys(manifest.files).length + Object.keys(manifest.links).length;
  const others = counts.changed + counts.deleted;
  if (mostly && others > Math.max(3, all / 2))
    errors.push(`${others} of ${all} were changed or deleted while they were saved`);
  if (errors.length > 0) {
    const more = errors.length > LISTED ? `; and ${errors.length - LISTED} more` : '';
    throw new Failure(
      `${manifest.source}: the restored files are not those of the manifest: ${errors.slice(0, LISTED).join('; ')}${more}`,
    );
  }
  return counts;
}
