/** A real Redis (`redis-server` on the PATH) and MongoDB's wire protocol by a real FerretDB (`REZ_FERRETDB` is the program). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll } from 'vitest';
import { newFolder } from './engine';
import { freePort, until } from './waiting';

const ferretdb = process.env.REZ_FERRETDB ?? '';

/** Why tests with Redis are skipped; empty if they run. */
export const noRedis =
  spawnSync('redis-server', ['--version']).status === 0 ? '' : ' (skipped: no redis-server on the PATH)';

/** Why tests with MongoDB are skipped; empty if they run. */
export const noMongodb = existsSync(ferretdb) ? '' : ' (skipped: REZ_FERRETDB does not name a FerretDB)';

const running = new Set<ChildProcess>();
// A test that fails does not reach its `stop`.
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** A running server. */
export interface Store {
  url: string;
  stop(): Promise<void>;
}

/** Starts a Redis that keeps nothing. */
export async function startRedis(): Promise<Store> {
  return start('redis', (port) => ['redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '']]);
}

/** Starts a FerretDB over a folder of its own. */
export async function startMongodb(): Promise<Store> {
  const folder = newFolder();
  return start('mongodb', (port) => [ferretdb, [`${port}`, folder]]);
}

/** Another process can take the port before the server listens: then the next one is tried. */
async function start(scheme: string, command: (port: number) => [string, string[]]): Promise<Store> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const port = await freePort();
    const child = spawn(...command(port), { stdio: 'ignore', cwd: newFolder() });
    running.add(child);
    child.once('exit', () => running.delete(child));
    await until(async () => child.exitCode !== null || (await listens(port)));
    if (child.exitCode !== null) continue;
    return {
      url: `${scheme}://127.0.0.1:${port}`,
      async stop() {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      },
    };
  }
  throw new Error(`${scheme} does not start`);
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
