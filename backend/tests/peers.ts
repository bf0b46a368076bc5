/** Programs of others that the tests start, each on a port of its own: they cannot choose one themselves. They end after the tests of a file. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import mongoose from 'mongoose';
import { afterAll } from 'vitest';
import { newFolder } from './engine';
import { freePort, until } from './waiting';

/** A server of MongoDB's protocol over SQLite, which is started as `<program> <port> <folder>`. */
const ferretdb = process.env.REZ_FERRETDB ?? '';

/** Why tests with Redis are skipped, for the end of their names; empty if they run. */
export const noRedis =
  spawnSync('redis-server', ['--version']).status === 0 ? '' : ' (skipped: no redis-server on the PATH)';

/** Why tests with MongoDB are skipped; empty if they run. */
export const noMongo = existsSync(ferretdb) ? '' : ' (skipped: REZ_FERRETDB does not name a FerretDB)';

/** A program that runs. A test may stop its process (`SIGSTOP`) and end it. */
export interface Peer {
  port: number;
  /** The address, with the scheme that it was started for. */
  url: string;
  process: ChildProcess;
  /** Ends it, and waits for its end. */
  stop(): Promise<void>;
}

/** A Redis that keeps nothing. */
export function startRedis(): Promise<Peer> {
  return startPeer('redis', 'redis-server', (port) => ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '']);
}

/** A MongoDB server over a folder of its own. */
export function startMongo(): Promise<Peer> {
  return startPeer('mongodb', ferretdb, (port) => [`${port}`, newFolder()]);
}

/** A connection of its own to a database, as another process has one. */
export function connectMongo({ url }: Peer, name: string): Promise<mongoose.Connection> {
  return mongoose.createConnection(url, { dbName: name, serverSelectionTimeoutMS: 20_000 }).asPromise();
}

const running = new Set<ChildProcess>();
// A test that fails does not reach its `stop`. SIGKILL ends a process that is stopped, too.
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program and waits until it listens. Another process can take the port before: then the next one is tried. */
export async function startPeer(scheme: string, program: string, args: (port: number) => string[]): Promise<Peer> {
  let said = '';
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const child = spawn(program, args(port), { stdio: ['ignore', 'ignore', 'pipe'], cwd: newFolder() });
    running.add(child);
    const ended = once(child, 'exit').then(() => void running.delete(child));
    child.stderr.on('data', (part) => {
      said = (said + part).slice(-4_000);
    });
    await until(async () => child.exitCode !== null || (await listens(port)), `the start of ${program}`);
    if (child.exitCode !== null) continue;
    const stop = () => {
      child.kill('SIGKILL');
      return ended;
    };
    return { port, url: `${scheme}://127.0.0.1:${port}`, process: child, stop };
  }
  throw new Error(`${program} does not start: ${said}`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
