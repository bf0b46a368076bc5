/** One repository of restic (0.14 and newer). */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Failure } from './failure.mjs';
import { lastLines, start } from './process.mjs';
import { INCOMPLETE, secret } from './settings.mjs';

/** On every snapshot. A second tag is the source: a group is host and tags, so that a renamed path stays in its group. */
const TAG = 'rez-backup';

/** Retries further apart than this are not one disturbance. restic waits 60 s at most between two. */
const DISTURBANCE_MS = 150_000;

/** What restic prints, and what it means. */
const EXPLAINED = [
  [/wrong password or no key found/i, 'the password is wrong'],
  [
    /Access ?Denied|InvalidAccessKeyId|SignatureDoesNotMatch|Forbidden/i,
    'the storage refuses the access key or its secret',
  ],
  [
    /Is there a repository at the following location|repository does not exist|NoSuchBucket/i,
    'no repository is reachable there: check the URL, the bucket and the access key; `rez-backup init` makes a new one',
  ],
  [
    /connection refused|no such host|i\/o timeout|network is unreachable/i,
    'the storage does not answer: check the URL',
  ],
  [/already locked/i, 'another restic holds its lock; `restic unlock` removes one whose process is gone'],
  [
    /No space left|QuotaExceeded|EntityTooLarge|InsufficientStorage|quota|disk full/i,
    'there is no space left, here or in the bucket: see the text of restic',
  ],
];

/** In the order of importance: a refused connection is also "no repository". */
const explain = (text) => {
  const network = EXPLAINED[3];
  const found = network[0].test(text) ? network : EXPLAINED.find(([pattern]) => pattern.test(text));
  return found ? `${found[1]} (restic: ${lastLines(text, 3)})` : lastLines(text);
};

/** True if a process of this host is gone. A killed one that nobody waits for is too, although it still has its number. */
function isGone(pid) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'ESRCH';
  }
  try {
    return / Z /.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/, ''));
  } catch {
    return false;
  }
}

/** restic's patterns: the characters of a path stand for themselves. */
export const literal = (file) => file.replace(/[\\*?[\]]/g, '\\$&');

/** restic reads `--time` as local time. */
const timeOf = (date) => date.toISOString().slice(0, 19).replace('T', ' ');

const lines = (text) => text.split('\n').filter((line) => line.startsWith('{'));

/** The errors that restic prints as JSON; a line that is cut is one of unknown kind. */
const errorsOf = (text) =>
  lines(text)
    .map((line) => {
      try {
        return JSON.parse(line);
      } catch {
        return { message_type: 'error' };
      }
    })
    .filter((it) => it.message_type === 'error');

/** True if the file was deleted since restic has read its name: ENOENT as a number in restic 0.14, as a text in newer ones. */
const isGoneFile = ({ error }) => error?.Err === 2 || /no such file or directory$/.test(error?.message ?? '');

export class Repository {
  #settings;
  #of;
  #opened;
  #found;

  constructor(settings, repository) {
    this.#settings = settings;
    this.#of = repository;
    this.name = repository.name;
    this.url = repository.url;
  }

  #environment() {
    const { password, accessKey, secretKey, region } = this.#of;
    const read = (name) => secret(this.#settings, name, `repository ${this.name}`);
    // What the operator has set for restic must not mix with the settings.
    const others = Object.keys(process.env).filter((it) => /^(RESTIC|AWS)_/.test(it));
    const environment = {
      ...Object.fromEntries(others.map((it) => [it, undefined])),
      RESTIC_REPOSITORY: this.url,
      RESTIC_PASSWORD: read(password),
      RESTIC_CACHE_DIR: path.join(this.#settings.stateFolder, 'cache'),
      // A line of progress each 100 s.
      RESTIC_PROGRESS_FPS: '0.01',
      TZ: 'UTC',
    };
    if (accessKey) environment.AWS_ACCESS_KEY_ID = read(accessKey);
    if (secretKey) environment.AWS_SECRET_ACCESS_KEY = read(secretKey);
    if (region) environment.AWS_DEFAULT_REGION = region;
    return environment;
  }

  /** Runs restic. It retries for 15 min on its own; it is ended earlier if the settings say so. */
  async #restic(args, accepted = [0]) {
    const limit = this.#settings.retrySeconds;
    let first;
    let last;
    let gaveUp = false;
    let timer;
    const running = start('restic', args, {
      env: this.#environment(),
      onLine: (line) => {
        if (!/returned error, retrying after/.test(line)) return;
        const now = Date.now();
        if (!first || now - last > DISTURBANCE_MS) {
          first = now;
          clearTimeout(timer);
          timer = setTimeout(() => {
            gaveUp = true;
            // restic removes its lock on this signal, if it can; a second try ends it for sure.
            running.child.kill('SIGINT');
            timer = setTimeout(() => running.child.kill('SIGKILL'), 10_000);
          }, limit * 1000);
        }
        last = now;
      },
    });
    let result;
    try {
      result = await running.ended;
    } finally {
      clearTimeout(timer);
    }
    if (accepted.includes(result.code)) return result;
    const retries = result.stderr.split('\n').filter((line) => line.includes('retrying after'));
    const text = gaveUp ? `it retried for ${limit} s: ${explain(retries.at(-1) ?? '')}` : explain(result.stderr);
    throw new Failure(`repository ${this.name} (${this.url}): restic ${args[0]}: ${text}`);
  }

  /** Fails unless the repository can be opened. Removes locks of processes that are gone. Done once. */
  open() {
    this.#opened ??= this.#restic(['unlock']);
    return this.#opened;
  }

  async init() {
    this.#opened = undefined;
    await this.#restic(['init']);
  }

  /** Saves paths as one snapshot. Returns its id and what restic counted. */
  async backup({ host, source, paths, time, exclude = [] }) {
    const excluded = exclude.flatMap((pattern) => ['--exclude', pattern]);
    const tags = ['--tag', `${TAG},${source}`];
    const args = ['backup', '--json', '--host', host, ...tags, '--time', timeOf(time), ...excluded, '--', ...paths];
    const { code, stdout, stderr } = await this.#restic(args, [0, 3]);
    const summary = lines(stdout)
      .map((line) => JSON.parse(line))
      .find((it) => it.message_type === 'summary');
    // A file that is deleted while it is saved is no error: the manifest counts it.
    const failed = errorsOf(stderr);
    if (code === 3 && !(summary && failed.length > 0 && failed.every(isGoneFile))) {
      const why = `repository ${this.name}: the snapshot of ${source} lacks files that could not be read: ${lastLines(stderr)}`;
      if (summary) await this.#mark(summary.snapshot_id, source, why);
      throw new Failure(why);
    }
    if (!summary) throw new Failure(`repository ${this.name}: restic backup printed no summary`);
    const deleted = new Set(failed.map(({ item }) => item)).size;
    return { id: summary.snapshot_id, bytesAdded: summary.data_added, deleted };
  }

  /** Gives a snapshot another tag, so that neither `find` nor the retention takes it for a good one. */
  async #mark(id, source, why) {
    try {
      await this.#restic(['tag', '--set', `${TAG},${source}${INCOMPLETE}`, id]);
    } catch (error) {
      throw new Failure(`${why}; remove it with \`restic forget ${id}\`, it could not be marked: ${error.message}`);
    }
  }

  /** The snapshots of all sources, of a host or of all, oldest first. */
  async snapshots({ host } = {}) {
    const { stdout } = await this.#restic(['snapshots', '--json', '--tag', TAG, ...(host ? ['--host', host] : [])]);
    return (JSON.parse(stdout) ?? [])
      .map(({ id, short_id, time, hostname, tags, paths }) => ({
        id,
        short: short_id,
        time: new Date(time),
        host: hostname,
        source: tags.find((tag) => tag !== TAG),
        paths,
      }))
      .sort((a, b) => a.time - b.time);
  }

  /** Finds a snapshot by the start of its id, or the last one, or the last one that is not after a time. Lists them once. */
  async find({ host, source, id, at }) {
    this.#found ??= this.snapshots({ host });
    const all = (await this.#found).filter((it) => it.source === source);
    const found = id ? all.find((it) => it.id.startsWith(id)) : all.findLast((it) => !at || it.time <= at);
    if (found) return found;
    const what = `no snapshot ${id ? `${id} ` : ''}of ${source} from ${host}${at ? ` at or before ${at.toISOString()}` : ''}`;
    throw new Failure(`repository ${this.name} has ${what}: \`rez-backup list\` shows those it has`);
  }

  /** The snapshot of the same source before this one; undefined if it is the first. After `find`. */
  async before({ source, time }) {
    return (await this.#found).findLast((it) => it.source === source && it.time < time);
  }

  /** The content of one file of a snapshot. */
  async dump(id, file) {
    return (await this.#restic(['dump', id, file])).stdout;
  }

  /** Restores these paths of a snapshot below a folder. */
  async restore(id, paths, target) {
    const included = paths.flatMap((file) => ['--include', literal(file)]);
    await this.#restic(['restore', id, ...included, '--target', target]);
  }

  /** Removes the snapshots that the retention of each source does not keep, and the data that only they used. */
  async forget({ host, retention, prune = true }) {
    const keep = Object.entries(retention)
      .filter(([, count]) => count > 0)
      .flatMap(([unit, count]) => [`--keep-${unit}`, String(count)]);
    const group = ['--group-by', 'host,tags', '--host', host, '--tag', TAG];
    const args = ['forget', '--quiet', ...group, ...keep, ...(prune ? ['--prune'] : [])];
    try {
      await this.#restic(args);
    } catch (error) {
      if (!/already locked|holds its lock/.test(error.message) || !(await this.#allLocksGone())) throw error;
      await this.#restic(['unlock', '--remove-all']);
      await this.#restic(args);
    }
  }

  /** True if every lock is of a process of this host that is gone. restic itself takes a process that nobody waits for as running. */
  async #allLocksGone() {
    const ids = (await this.#restic(['list', 'locks', '--no-lock'])).stdout.split('\n').filter(Boolean);
    for (const id of ids) {
      const { hostname, pid } = JSON.parse((await this.#restic(['cat', 'lock', id, '--no-lock'])).stdout);
      if (hostname !== os.hostname() || !isGone(pid)) return false;
    }
    return true;
  }

  /** Reads a part of all data, and checks it. */
  async check(subset) {
    await this.#restic(['check', `--read-data-subset=${subset}`]);
  }
}
