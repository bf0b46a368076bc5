/** Puts restored data in the place of the present data, by renames, and can put it back. */
import fs from 'node:fs';
import path from 'node:path';
import { Failure } from './failure.mjs';
import { OLD, STAGED } from './manifest.mjs';

const exists = (file) => fs.lstatSync(file, { throwIfNoEntry: false }) !== undefined;

/** A folder on a file system of its own cannot be renamed: its entries are. */
function isMount(file) {
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.dev !== fs.lstatSync(path.dirname(file)).dev;
}

/** The file systems that are mounted below a folder. Only Linux lists them. */
function mountsBelow(folder) {
  if (process.platform !== 'linux') return [];
  const points = fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(Boolean);
  return points
    .map((line) => line.split(' ')[4].replace(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))))
    .filter((point) => point.startsWith(`${folder}/`));
}

/** The nearest folder above that exists. */
function nearest(folder) {
  return exists(folder) ? folder : nearest(path.dirname(folder));
}

/** The place of one path: where it is staged, on the same file system, and how it is replaced. */
export class Place {
  /** `saved`: the path in the snapshot; `live`: where it goes. */
  constructor(saved, live, id) {
    this.saved = saved;
    this.live = live;
    this.mount = isMount(live);
    this.area = this.mount ? live : nearest(path.dirname(live));
    this.staging = path.join(this.area, `${STAGED}${id}`);
    this.old = this.mount ? path.join(live, `${OLD}${id}`) : `${live}${OLD}${id}`;
    this.moved = [];
  }

  /** Fails if an earlier restore was interrupted: what it kept may be the only copy. */
  refuseLeftovers() {
    const folder = this.mount ? this.live : path.dirname(this.live);
    if (!exists(folder)) return;
    const prefix = this.mount ? OLD : `${path.basename(this.live)}${OLD}`;
    const left = fs.readdirSync(folder).find((name) => name.startsWith(prefix));
    if (!left) return;
    throw new Failure(
      `${path.join(folder, left)} is there: an earlier restore did not end, and this is what ${this.live} had before. Move it back, or remove it`,
    );
  }

  /** Fails if a file system is mounted inside: a rename would take it away with the former data. */
  refuseMounts() {
    const [inside] = exists(this.live) ? mountsBelow(fs.realpathSync(this.live)) : [];
    if (!inside) return;
    throw new Failure(
      `${inside} is a file system of its own inside ${this.live}, which cannot be replaced as a whole: unmount it, or use --target; nothing was changed`,
    );
  }

  /** Where a path of the snapshot is while it is staged. */
  staged(file) {
    return path.join(this.staging, file);
  }

  #move(from, to) {
    fs.renameSync(from, to);
    this.moved.push([from, to]);
  }

  /** Puts the staged data in its place. The present data is kept under another name. */
  replace() {
    const from = this.staged(this.saved);
    if (this.mount) {
      fs.mkdirSync(this.old);
      const own = [path.basename(this.staging), path.basename(this.old)];
      for (const name of fs.readdirSync(this.live).filter((it) => !own.includes(it))) {
        this.#move(path.join(this.live, name), path.join(this.old, name));
      }
      for (const name of fs.readdirSync(from)) this.#move(path.join(from, name), path.join(this.live, name));
      return;
    }
    fs.mkdirSync(path.dirname(this.live), { recursive: true });
    if (exists(this.live)) this.#move(this.live, this.old);
    this.#move(from, this.live);
  }

  /** Puts the data that was there before back. */
  undo() {
    for (const [from, to] of this.moved.splice(0).reverse()) fs.renameSync(to, from);
    if (this.mount) fs.rmSync(this.old, { recursive: true, force: true });
  }

  removeStaging() {
    fs.rmSync(this.staging, { recursive: true, force: true });
  }

  /** Removes what a restore that was killed has staged here: the lock says that none runs. */
  removeLeftStaging() {
    if (!exists(this.area)) return;
    for (const name of fs.readdirSync(this.area).filter((it) => it.startsWith(STAGED))) {
      fs.rmSync(path.join(this.area, name), { recursive: true, force: true });
    }
  }

  removeOld() {
    // Renamed first: half of it must not look like what was there before.
    if (exists(this.old)) fs.renameSync(this.old, path.join(this.staging, path.basename(this.old)));
  }
}
