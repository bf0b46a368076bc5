import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newFolder, rowsOf } from './engine';
import { atEnd } from './servers';
import { until } from './waiting';

interface Process {
  child: ChildProcess;
  port: number;
  folder: string;
  /** The exit code and the signal that ended it. */
  ended: Promise<[number | null, string | null]>;
  /** Resolves with the next message. */
  told(): Promise<unknown>;
}

/** Runs the server of `shutdown-server.mjs` on the built library. */
async function start(options: object, ...more: string[]): Promise<Process> {
  const folder = newFolder();
  const child = fork(join(import.meta.dirname, 'shutdown-server.mjs'), [JSON.stringify(options), ...more], {
    env: { ...process.env, REZ_FOLDER: folder, NODE_ENV: 'production' },
  });
  atEnd(() => child.kill('SIGKILL'));
  const messages: unknown[] = [];
  child.on('message', (message) => messages.push(message));
  const told = async () => {
    await until(() => messages.length > 0, 'a message');
    return messages.shift();
  };
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  return { child, port: (await told()) as number, folder, ended, told };
}

interface Answer {
  status: number;
  connection: string | undefined;
  text: string;
}

function ask(port: number, path: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (data) => {
        text += data;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, text }),
      );
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}

test('no request that was accepted is cut, clients are sent elsewhere, and the process ends by the signal', async () => {
  const { child, port, folder, ended, told } = await start({ readyDelayMs: 60_000, limitMs: 120_000 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const other = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await ask(port, '/ready', agent)).toMatchObject({ status: 200, connection: 'keep-alive' });
  await ask(port, '/', other);
  // One request is being answered, on a connection of its own.
  const slow = ask(port, '/slow');
  expect(await told()).toBe('arrived');

  child.kill('SIGTERM');
  // The balancer sees it, while the server still accepts new connections.
  await until(async () => (await ask(port, '/ready')).status === 503, '/ready');
  // A client that keeps its connection is asked to leave it, with its answer.
  expect(await ask(port, '/', agent)).toEqual({ status: 200, connection: 'close', text: 'quick' });
  expect(await ask(port, '/live', agent)).toMatchObject({ status: 200, connection: 'close' });

  child.send('the delay is over');
  await until(() => refuses(port), 'the end of the listener');
  child.send('answer');
  expect(await slow).toEqual({ status: 200, connection: 'close', text: 'ended' });
  expect(await ended).toEqual([null, 'SIGTERM']);
  // What the last request recorded is on the disk.
  expect(rowsOf(folder).filter(({ kind }) => kind === 'error')).toHaveLength(1);
  for (const one of [agent, other]) one.destroy();
});

test('a connection that its client keeps is closed when its last answer ends', async () => {
  const { child, port, ended, told } = await start({ limitMs: 300_000 });
  const agent = new Agent({ keepAlive: true });
  const stream = ask(port, '/stream', agent);
  expect(await told()).toBe('arrived');
  child.kill('SIGTERM');
  await until(() => refuses(port), 'the end of the listener');
  child.send('answer');
  expect(await stream).toEqual({ status: 200, connection: 'keep-alive', text: 'begun, ended' });
  expect(await ended).toEqual([null, 'SIGTERM']);
  agent.destroy();
});

test('a request that never ends cannot keep the process longer than its limit', async () => {
  const { child, port, ended, told } = await start({ limitMs: 1_200 });
  const slow = ask(port, '/slow').catch((error: NodeJS.ErrnoException) => error.code);
  expect(await told()).toBe('arrived');
  child.kill('SIGTERM');
  expect(await ended).toEqual([null, 'SIGTERM']);
  expect(await slow).toBe('ECONNRESET');
});

test('a second signal ends the process at once', async () => {
  const { child, port, ended, told } = await start({ readyDelayMs: 60_000, limitMs: 120_000 });
  void ask(port, '/slow').catch(() => undefined);
  expect(await told()).toBe('arrived');
  child.kill('SIGTERM');
  await until(async () => (await ask(port, '/ready')).status === 503, '/ready');
  child.kill('SIGTERM');
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test("the app's own listener is called once, and the app decides when the process ends", async () => {
  const { child, port, ended, told } = await start({}, 'listens');
  child.kill('SIGTERM');
  expect(await told()).toBe('told');
  await until(() => refuses(port), 'the end of the listener');
  child.send('end');
  expect(await ended).toEqual([7, null]);
});

test("with the app's own listener a second signal ends the process too, with the code of the signal", async () => {
  const { child, port, ended, told } = await start({ readyDelayMs: 60_000 }, 'listens');
  child.kill('SIGTERM');
  expect(await told()).toBe('told');
  await until(async () => (await ask(port, '/ready')).status === 503, '/ready');
  child.kill('SIGTERM');
  expect(await ended).toEqual([143, null]);
});

/** Whether nobody listens any more. */
function refuses(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
