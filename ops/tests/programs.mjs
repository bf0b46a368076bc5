/** The real programs, found in PATH: `cargo xtask ops check` installs them and sets it. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';

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

/** Starts a server. `log()`: what it has printed. `stop()`: ends it, and waits for the end. */
export function start(name, ...args) {
  return startIn(process.env, name, ...args);
}

/** The same, in another environment. `ended`: its exit code, or the signal that has ended it. */
export function startIn(env, name, ...args) {
  const child = spawn(name, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  // A test that throws before `stop` leaves no process.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    name,
    pid: child.pid,
    ended,
    signal: (name) => child.kill(name),
    log: () => text,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    async stop() {
      kill();
      await ended;
      process.off('exit', kill);
    },
  };
}

/** A port that is free now. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
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
