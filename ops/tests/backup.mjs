/** A host with data, and storage for its backups, all in one folder and on loopback. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, later, OPS, output, start, until } from './programs.mjs';

export const PROGRAM = path.join(OPS, 'backup/rez-backup.mjs');

/** A folder that is removed at the end of the test. */
export function scratch(t, name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), name));
  later(t, () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Why no file system can be mounted here, if none can. */
export const noTmpfs =
  (process.platform !== 'linux' || process.getuid() !== 0) && 'only root on Linux can mount a small file system';

/** A file system of this size. */
export function mount(t, folder, size) {
  fs.mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  later(t, () => execFileSync('umount', ['--lazy', folder]));
}

/** The files of a repository below one folder, largest first. */
export function filesOf(folder) {
  const all = fs.readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name));
  return all.filter((file) => fs.statSync(file).isFile()).sort((a, b) => fs.statSync(b).size - fs.statSync(a).size);
}

/** Runs rez-backup to its end. `group`: in a process group of its own, so that all of it can be killed. */
export function rez(args, { env = {}, group = false } = {}) {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: group,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  return { child, ended, stdout: () => stdout };
}

/** Runs rez-backup, and fails unless it ends with this exit code. Returns what it printed. */
export async function expectCode(expected, args, options) {
  const { code, stdout, stderr } = await rez(args, options).ended;
  if (code !== expected) throw new Error(`rez-backup ${args.join(' ')}: exit code ${code}\n${stdout}${stderr}`);
  return { stdout, stderr };
}

/** Starts an S3 server over a folder, with the bucket `backups`. */
export async function startStorage(
  t,
  name,
  folder,
  { accessKey = 'the-access-key', secretKey = 'the-secret-key' } = {},
) {
  fs.mkdirSync(path.join(folder, 'backups'), { recursive: true });
  const port = await freePort();
  const keys = ['--access', accessKey, '--secret', secretKey];
  const server = start('versitygw', '--port', `127.0.0.1:${port}`, '--quiet', ...keys, 'posix', folder);
  later(t, () => server.stop());
  const url = `http://127.0.0.1:${port}`;
  await until('the S3 server answers', async () => (await fetch(url)).status > 0, 30);
  return { name, folder, url, accessKey, secretKey, stop: server.stop };
}

/** A folder that is removed at the end of the test, and a host in it. */
export function makeHost(t, { repositories, sources, settings = {}, storage = [] }) {
  const folder = scratch(t, 'rez-backup-');
  const at = (...names) => path.join(folder, ...names);
  for (const name of ['textfile', 'secrets']) fs.mkdirSync(at(name));
  const secret = (name, value) => fs.writeFileSync(at('secrets', name), `${value}\n`, { mode: 0o600 });
  secret('restic_password', 'the password');
  for (const { name, accessKey, secretKey } of storage) {
    secret(`${name}_access_key`, accessKey);
    secret(`${name}_secret_key`, secretKey);
  }
  const ofStorage = ({ name, url }) => ({
    name,
    url: `s3:${url}/backups/api-1`,
    region: 'us-east-1',
    password: 'restic_password',
    accessKey: `${name}_access_key`,
    secretKey: `${name}_secret_key`,
  });
  const all = {
    host: 'api-1',
    stateFolder: at('state'),
    textfileFolder: at('textfile'),
    secretsFolder: at('secrets'),
    checkSubset: '100%',
    retrySeconds: 3,
    repositories: repositories?.(at) ?? storage.map(ofStorage),
    sources: sources(at),
    ...settings,
  };
  const write = (value) => fs.writeFileSync(at('backup.json'), JSON.stringify(value));
  write(all);
  return {
    folder,
    at,
    secret,
    settings: all,
    /** Changes the settings file. */
    change: (changes) => write({ ...all, ...changes }),
    /** Runs a command that is expected to succeed. */
    ok: (...args) => expectCode(0, [...args, '--settings', at('backup.json')]),
    fails: (code, ...args) => expectCode(code, [...args, '--settings', at('backup.json')]),
    starts: (args, options) => rez([...args, '--settings', at('backup.json')], options),
    metrics: () => fs.readFileSync(at('textfile', 'rez_backup.prom'), 'utf8'),
  };
}

/** Repositories in a folder: quicker than S3, for what S3 has no part in. */
export const local = (at) => [{ name: 'primary', url: at('repository'), password: 'restic_password' }];

/** A source of media files. */
export const media = (at) => [{ name: 'media', kind: 'files', paths: [at('media')] }];

/** A host with one local repository and one snapshot of its media. */
export async function saved(t, options = {}) {
  const host = makeHost(t, { repositories: local, sources: media, ...options });
  makeFiles(host.at('media'), 6);
  await host.ok('init');
  await host.ok('run');
  return host;
}

/** What a restore has left beside the data. */
export const leftovers = (host) => fs.readdirSync(host.folder).filter((name) => name.includes('.rez-'));

/** Writes files whose content depends on their names. */
export function makeFiles(folder, count, bytes = 2000) {
  fs.mkdirSync(path.join(folder, 'inner/empty'), { recursive: true });
  for (let index = 0; index < count; index += 1) {
    const name = index % 3 === 0 ? `inner/picture ${index} [é]*.jpg` : `picture-${index}.jpg`;
    const seed = createHash('sha512').update(name).digest();
    fs.writeFileSync(path.join(folder, name), Buffer.alloc(bytes, seed));
  }
}

/** Everything in a folder, with content, modes, owners and links, as one value that can be compared. */
export function picture(folder) {
  const entries = {};
  for (const name of fs.readdirSync(folder, { recursive: true }).sort()) {
    const file = path.join(folder, name);
    const stat = fs.lstatSync(file);
    const kind = stat.isSymbolicLink()
      ? `link to ${fs.readlinkSync(file)}`
      : stat.isDirectory()
        ? 'folder'
        : createHash('sha256').update(fs.readFileSync(file)).digest('hex');
    entries[name] =
      `${kind} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.isSymbolicLink() ? '' : stat.mtimeMs}`;
  }
  return entries;
}

/** The value of a metric with these labels. */
export function metric(text, name, labels = {}) {
  const has = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = text.split('\n').find((it) => /^\w+/.exec(it)?.[0] === name && has.every((label) => it.includes(label)));
  return line && Number(line.slice(line.lastIndexOf(' ') + 1));
}

/** A Redis in a folder, that the settings can stop and start. */
export async function makeRedis(t, folder) {
  const port = await freePort();
  fs.mkdirSync(folder, { recursive: true });
  const cli = (...args) =>
    output('redis-cli', '-p', String(port), '-a', 'the-redis-password', '--no-auth-warning', ...args);
  const serve = ['--port', String(port), '--bind', '127.0.0.1', '--requirepass', 'the-redis-password', '--save', ''];
  const command = [
    'redis-server',
    ...serve,
    '--dir',
    folder,
    '--daemonize',
    'yes',
    '--logfile',
    path.join(folder, 'log'),
  ];
  const stop = ['redis-cli', '-p', String(port), '-a', 'the-redis-password', 'shutdown', 'nosave'];
  const up = async () => {
    output(command[0], ...command.slice(1));
    await until('Redis answers', () => cli('PING').startsWith('PONG'), 30);
  };
  later(t, () => {
    try {
      output(stop[0], ...stop.slice(1));
    } catch {
      // It is stopped already.
    }
  });
  await up();
  const source = {
    name: 'redis',
    kind: 'redis',
    port,
    password: 'redis_password',
    dumpFile: path.join(folder, 'dump.rdb'),
  };
  return { cli, up, down: () => output(stop[0], ...stop.slice(1)), source: { ...source, stop, start: command } };
}
