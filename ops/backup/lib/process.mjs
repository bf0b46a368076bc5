/** Runs other programs. */
import { spawn } from 'node:child_process';
import { Failure } from './failure.mjs';

const PACKAGES = {
  restic: 'restic (Debian: apt-get install restic)',
  'redis-cli': 'the Redis tools (Debian: apt-get install redis-tools)',
  'redis-check-rdb': 'the Redis tools (Debian: apt-get install redis-tools)',
  'redis-server': 'the Redis server (Debian: apt-get install redis-server); the drill starts one on loopback',
  mongodump: 'the MongoDB Database Tools (package mongodb-database-tools of MongoDB)',
  mongorestore: 'the MongoDB Database Tools (package mongodb-database-tools of MongoDB)',
};

/** More of the errors than this is not kept. The output is a manifest or a list, and half of it is useless. */
const KEPT = 64 * 1024 * 1024;

const children = new Set();
let stopped;

/** Ends the programs that run, and starts no other one. */
export function stopAll(signal) {
  stopped = signal;
  for (const child of children) child.kill('SIGINT');
}

/** What puts back the former data after a signal needs programs too. */
export function startAgain() {
  stopped = undefined;
}

function notStarted(name, error) {
  if (error.code !== 'ENOENT') return new Failure(`${name}: ${error.message}`, { cause: error });
  const what = PACKAGES[name] ? `: install ${PACKAGES[name]}` : '';
  return new Failure(`${name} is not in PATH${what}`, { cause: error });
}

/** Starts a program. `onLine` gets each line of its standard error. */
export function start(name, args, { env = {}, onLine } = {}) {
  if (stopped) throw new Failure(`${name} is not started: ${stopped}`);
  const child = spawn(name, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let stdout = '';
  let stderr = '';
  let partial = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    if (stderr.length < KEPT) stderr += text;
    if (!onLine) return;
    const lines = (partial + text).split('\n');
    partial = lines.pop();
    for (const line of lines) onLine(line);
  });
  const ended = new Promise((resolve, reject) => {
    child.once('error', (error) => {
      children.delete(child);
      reject(notStarted(name, error));
    });
    child.once('close', (code, signal) => {
      children.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  // Whoever only starts it may never ask for its end.
  ended.catch(() => {});
  return { child, ended, stderr: () => stderr };
}

/** Runs a program to its end, whatever its exit code is. */
export async function attempt(name, args, options) {
  return start(name, args, options).ended;
}

/** The last lines of an output, in one line. */
export function lastLines(text, count = 4) {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter(Boolean).slice(-count).join(' | ');
}

/** Runs a program to its end; an exit code that is not 0 is an error. `where` is what the message says about it. */
export async function run(name, args, { where = '', ...options } = {}) {
  const result = await attempt(name, args, options);
  if (result.code === 0) return result;
  const end = result.signal ? `ended by ${result.signal}` : `exit code ${result.code}`;
  throw new Failure(`${name}${where && ` (${where})`}: ${end}: ${lastLines(result.stderr || result.stdout)}`);
}
