/** The real programs, found in PATH: `cargo xtask ops check` installs them and sets it. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

// The runner ends a file that takes too long with SIGTERM, and a signal alone runs no exit handler: the servers would stay.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(1));

/** The folder `ops`. */
export const OPS = path.resolve(import.meta.dirname, '..');

/** Why these programs cannot be run; false if all can. */
export function missing(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const absent = names.filter((name) => !folders.some((folder) => fs.existsSync(path.join(folder, name))));
  return absent.length > 0 && `no ${absent.join(', ')} in PATH: cargo xtask ops check installs them`;
}

/** Runs a program to its end in the folder `ops`, and returns its output. An error contains the output too. */
export function output(name, ...args) {
  try {
    return execFileSync(name, args, { cwd: OPS, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${name} ${args.join(' ')}: exit code ${error.status}\n${error.stdout}${error.stderr}`);
  }
}

const stacks = new WeakMap();

/**
 * Does something at the end of the test. The last one comes first: a folder is removed after what runs or is mounted in it. One that
 * fails keeps none of the others from its turn.
 */
export function later(t, action) {
  if (!stacks.has(t)) {
    const stack = [];
    stacks.set(t, stack);
    t.after(async () => {
      const errors = [];
      for (const it of stack.reverse()) {
        try {
          await it();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw errors[0];
    });
  }
  stacks.get(t).push(action);
}

/** Starts a server. `log()`: what it has printed. `stop()`: ends it, and waits for the end. */
export function start(name, ...args) {
  return startIn(process.env, name, ...args);
}

/** The same, in another environment. `ended`: its exit code, or the signal that has ended it. */
export function startIn(env, name, ...args) {
  const child = spawn(name, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  // A test that throws before `stop` leaves no process, and a server that ends leaves none that it has started: the whole group ends.
  const kill = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // Nothing is left of it.
    }
  };
  process.once('exit', kill);
  const ended = new Promise((resolve) =>
    child.once('exit', (code, signal) => {
      kill();
      process.off('exit', kill);
      resolve(code ?? signal);
    }),
  );
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  return {
    name,
    pid: child.pid,
    ended,
    signal: (name) => child.kill(name),
    log: () => text,
    get running() {
      return isRunning();
    },
    async stop() {
      // The number of one that has ended can be another's by now.
      if (isRunning()) kill();
      await ended;
    },
  };
}

/**
 * Each file draws from ports of its own, since files run beside each other, and below those that the system hands out: nothing takes a
 * port between the draw and the start of its server, or while a server is down.
 */
const PORTS = 800;
const FILES = fs.readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.mjs'));
const FIRST = 11_000 + PORTS * (FILES.sort().indexOf(path.basename(process.argv[1] ?? '')) + 1);
const given = new Set();

/** A port that is free now, and another one at each call. */
export async function freePort() {
  // By chance: the same file of another checkout may run too.
  const port = FIRST + Math.floor(Math.random() * PORTS);
  if (given.has(port)) return freePort();
  given.add(port);
  const server = net.createServer();
  const isFree = await new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!isFree) return freePort();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until `condition` returns something true, and returns that. It is asked again if it throws. */
export async function until(what, condition, seconds = 120) {
  const end = Date.now() + seconds * 1000;
  let why;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
      why = undefined;
    } catch (error) {
      why = error;
    }
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}${why ? `: ${why.message}` : ''}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Fetches JSON; an answer that is no success is an error. */
export async function json(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}
