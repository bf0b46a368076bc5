/** Real servers on free ports, ended after the tests of a file. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll } from 'vitest';
import { newFolder } from './engine';
import { freePort, until } from './waiting';

const ends: (() => unknown)[] = [];

afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Calls `end` after the tests of a file. */
export function atEnd(end: () => unknown): void {
  ends.push(end);
}

/** An HTTP server. `handler` is an app of Express, or a function. */
export async function served(handler: unknown): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(handler as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, server };
}

/** Sends requests in one write over one connection, each a path and lines of its head, and returns all answers. */
export async function pipelined(port: number, requests: readonly (readonly string[])[]): Promise<string> {
  const heads = requests.map(([path, ...lines], at) => {
    const last = at === requests.length - 1 ? ['Connection: close'] : [];
    return `${[`GET ${path} HTTP/1.1`, 'Host: a', ...lines, ...last].join('\r\n')}\r\n\r\n`;
  });
  const socket = connect(port, '127.0.0.1');
  socket.write(heads.join(''));
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

/** A process that a test may stop (`SIGSTOP`) and end. */
export interface Peer {
  port: number;
  process: ChildProcess;
}

/** Why there is no Redis; empty if there is one. */
export const noRedis = found('redis-server', ['--version'])
  ? ''
  : 'redis-server is not installed (apt-get install redis-server)';

/** Why there is no MongoDB; empty if there is one. */
export const noMongo = process.env.REZ_FERRETDB ? '' : 'REZ_FERRETDB does not name a FerretDB';

/** Says why tests are skipped. */
export function skipped(why: string): boolean {
  if (why !== '') console.warn(`skipped: ${why}`);
  return why !== '';
}

/** A Redis of its own, which stores nothing. */
export async function startRedis(): Promise<Peer> {
  const port = await freePort();
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    newFolder(),
  ];
  const child = started('redis-server', args);
  await until(() => answers(port), 'the start of Redis');
  return { port, process: child };
}

/** A server that speaks MongoDB's protocol: FerretDB over SQLite. */
export async function startMongo(port = 0, folder = newFolder()): Promise<Peer> {
  const used = port || (await freePort());
  const child = started(process.env.REZ_FERRETDB ?? '', [String(used), folder]);
  await until(() => answers(used), 'the start of FerretDB');
  return { port: used, process: child };
}

function started(file: string, args: string[]): ChildProcess {
  const child = spawn(file, args, { stdio: 'ignore' });
  // SIGKILL ends a process that is stopped, too.
  atEnd(() => child.kill('SIGKILL'));
  return child;
}

function found(file: string, args: string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
