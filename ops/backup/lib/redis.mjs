/** Redis: an RDB file that the server sends, as it sends it to a replica. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Failure } from './failure.mjs';
import * as manifest from './manifest.mjs';
import { attempt, lastLines, run, start as spawn } from './process.mjs';
import { secret } from './settings.mjs';

/** A server that loads its file answers late. */
const LOADED_WITHIN_MS = 10 * 60_000;

const connection = ({ host = '127.0.0.1', port = 6379 }) => ['-h', host, '-p', String(port)];

/** The password is not an argument: everybody on the host can read those. */
function environment(source, settings) {
  return source.password ? { REDISCLI_AUTH: secret(settings, source.password, `source ${source.name}`) } : {};
}

/** Reads an RDB file to its end. Returns its keys, and those among them that expire. */
async function count(file) {
  const { stdout } = await run('redis-check-rdb', [file], { where: file });
  const number = (what) => Number(stdout.match(new RegExp(`\\[info] (\\d+) ${what}`))?.[1]);
  const version = stdout.match(/redis-ver = '([^']+)'/)?.[1];
  const counts = { keys: number('keys read'), expires: number('expires') };
  if (Number.isNaN(counts.keys)) throw new Failure(`redis-check-rdb ${file}: no count of keys: ${lastLines(stdout)}`);
  return { counts, version };
}

/** The keys that a server has, once it has loaded its file. `alive`: throws if it has ended. */
async function loaded(at, env, alive = () => {}) {
  const end = Date.now() + LOADED_WITHIN_MS;
  for (;;) {
    alive();
    const { code, stdout, stderr } = await attempt('redis-cli', [...connection(at), 'INFO', 'keyspace'], { env });
    if (code === 0 && stdout.startsWith('# Keyspace')) {
      return [...stdout.matchAll(/keys=(\d+)/g)].reduce((sum, [, keys]) => sum + Number(keys), 0);
    }
    if (/NOAUTH|WRONGPASS/.test(stdout)) throw new Failure(`Redis refuses the password: ${lastLines(stdout)}`);
    if (Date.now() > end) throw new Failure(`Redis does not answer: ${lastLines(stdout + stderr)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function compare(keys, { counts }) {
  const least = counts.keys - counts.expires;
  if (keys >= least && keys <= counts.keys) return { keys };
  throw new Failure(
    `Redis has loaded ${keys} keys; the manifest has ${counts.keys}, of which ${counts.expires} expire`,
  );
}

export async function prepare(source, { settings, staging }) {
  const file = path.join(staging, 'dump.rdb');
  const where = `source ${source.name}, to ${file}`;
  const { stderr } = await run('redis-cli', [...connection(source), '--rdb', file], {
    env: environment(source, settings),
    where,
  });
  if (!fs.existsSync(file)) throw new Failure(`redis-cli (${where}): no file: ${lastLines(stderr)}`);
  const { counts, version } = await count(file);
  const { files, links } = await manifest.list([file]);
  return { paths: [file], files, links, counts, versions: { redis: version } };
}

/** Checks the restored file: Redis itself can read it, and it has as many keys. */
export async function check(file, saved) {
  const { counts } = await count(file);
  if (counts.keys !== saved.counts.keys) {
    throw new Failure(`${file} has ${counts.keys} keys; the manifest has ${saved.counts.keys}`);
  }
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Loads the restored file into a server of its own, on loopback, that writes nothing. */
export async function rehearse(_source, saved, where) {
  const file = where(saved.paths[0]);
  await check(file, saved);
  const port = await freePort();
  const place = ['--dir', path.dirname(file), '--dbfilename', path.basename(file)];
  const server = spawn('redis-server', [
    ...['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no'],
    ...place,
  ]);
  let end;
  server.ended.then(
    ({ stdout }) => {
      end = new Failure(`the scratch redis-server has ended: ${lastLines(stdout)}`);
    },
    (error) => {
      end = error;
    },
  );
  try {
    const keys = await loaded({ port }, {}, () => {
      if (end) throw end;
    });
    return compare(keys, saved);
  } finally {
    server.child.kill('SIGKILL');
    await server.ended.catch(() => {});
  }
}

/** Stops Redis: a running one would write its own file over the restored one. `onStop` is called when it may be stopped from then on. */
export async function stop(source, settings, onStop = () => {}) {
  const folder = path.dirname(source.dumpFile);
  if (!fs.existsSync(folder)) throw new Failure(`source ${source.name}: ${folder} does not exist: install Redis first`);
  const log = ['appendonlydir', 'appendonly.aof']
    .map((name) => path.join(folder, name))
    .find((it) => fs.existsSync(it));
  if (log) {
    throw new Failure(
      `source ${source.name}: ${log} exists, and Redis would load it and not ${source.dumpFile}: set "appendonly no", move it away, restore, and switch it on with CONFIG SET appendonly yes`,
    );
  }
  onStop();
  if (source.stop) await run(source.stop[0], source.stop.slice(1), { where: `source ${source.name}, stop` });
  await refuseRunning(source, settings);
}

/** Stops a Redis that may not run: its stop command may fail then. */
export async function stopAgain(source, settings) {
  if (source.stop) await attempt(source.stop[0], source.stop.slice(1));
  await refuseRunning(source, settings);
}

async function refuseRunning(source, settings) {
  const ping = await attempt('redis-cli', [...connection(source), 'PING'], { env: environment(source, settings) });
  if (ping.code === 0) {
    throw new Failure(
      `source ${source.name}: Redis still runs: stop it, or name the command in "stop" of the settings`,
    );
  }
}

export async function start(source) {
  if (source.start) await run(source.start[0], source.start.slice(1), { where: `source ${source.name}, start` });
}

/** Starts Redis, and compares its keys with the manifest. */
export async function resume(source, saved, settings) {
  await start(source);
  return source.start && compare(await loaded(source, environment(source, settings)), saved);
}
