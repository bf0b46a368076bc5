/** Waiting for conditions, and ports that are free. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Limit of every wait, for a busy machine. */
const LIMIT_MS = 50_000;

type Falsy = false | 0 | '' | null | undefined;

/** Waits until the condition holds, and returns what it returned. `what` is named if it never does. */
export async function until<T>(condition: () => T | Promise<T>, what = String(condition)): Promise<Exclude<T, Falsy>> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    const found = await condition();
    if (found) return found as Exclude<T, Falsy>;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await sleep(5);
  }
}

/** A port that nobody listens on at this moment, for a program that cannot listen on 0. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
