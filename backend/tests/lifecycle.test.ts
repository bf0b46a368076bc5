import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { client, onClose } from '../src/core/monitor';
import {
  addDestination,
  alertService,
  captureException,
  captureMessage,
  close,
  createErrorHandler,
  flush,
  gracefulShutdown,
  init,
  isDurable,
  status,
  why,
} from '../src/index';
import { forget, type Line, logged } from './app';
import { run } from './child';
import { newFolder, rowsOf } from './engine';
import { served } from './servers';
import { standIn } from './stand-in';
import { until } from './waiting';

let lines: Line[] = [];
let other = '';

beforeEach(() => {
  lines = logged();
  forget('monitor');
  // Where an engine opens that nobody has told a folder.
  other = join(newFolder(), 'other');
  vi.stubEnv('REZ_FOLDER', other);
});

afterEach(async () => {
  await close(20_000);
  vi.unstubAllEnvs();
});

const watchers = () => process.listenerCount('uncaughtExceptionMonitor');

/** What each function that could open the engine answers. */
async function answers() {
  const request = { method: 'GET', url: '/' } as never;
  const response = { writableEnded: true } as never;
  createErrorHandler()(new Error('late'), request, response, () => undefined);
  return {
    error: captureException(new Error('late')),
    message: captureMessage('late'),
    alert: await alertService.sendAlert('error', 'late', ''),
    destination: addDestination({ name: 'rez', kind: 'rez', endpoint: 'http://127.0.0.1:9', key: '' }),
    status: status(),
    flushed: await flush(100),
    why: await why('01890a5d-ac96-774b-bcce-b302099a8057', 100),
    isDurable: isDurable(),
  };
}

const said = expect.stringContaining('has been closed');
const nothing = {
  error: '',
  message: '',
  alert: '',
  destination: said,
  status: undefined,
  flushed: { destinations: [], error: said },
  why: { error: said },
  isDurable: false,
};

test('nothing but init opens an engine again that was closed', async () => {
  const folder = newFolder();
  init({ folder });
  expect(watchers()).toBe(1);
  captureMessage('before');
  await close(20_000);
  expect(await answers()).toEqual(nothing);
  await close(20_000);
  expect(await answers()).toEqual(nothing);
  expect([watchers(), existsSync(other)]).toEqual([0, false]);
  expect(rowsOf(folder).map(({ json }) => json.message)).toEqual(['before']);

  const next = newFolder();
  expect(init({ folder: next })).toBe(true);
  captureMessage('after');
  expect([status()?.status.folder, watchers()]).toEqual([next, 1]);
  await close(20_000);
  expect(rowsOf(next).map(({ json }) => json.message)).toEqual(['after']);
});

test('an engine that was closed before anybody opened it stays closed', async () => {
  await close(20_000);
  expect(await answers()).toEqual(nothing);
  expect(existsSync(other)).toBe(false);
});

test('an engine in the place of a missing addon answers nothing after close, too', async () => {
  vi.stubEnv('REZ_NODE_ADDON', '/nowhere/at-all.node');
  init();
  expect(captureMessage('before')).not.toBe('');
  await close(20_000);
  expect(await answers()).toEqual(nothing);
});

test('init opens an engine that is closing as soon as it has closed', async () => {
  const [first, second] = [newFolder(), newFolder()];
  init({ folder: first });
  const closing = close(20_000);
  expect([init({ folder: second }), isDurable(), addDestination({ name: 'rez', kind: 'rez' })]).toEqual([
    false,
    false,
    said,
  ]);
  captureMessage('between');
  await closing;
  expect(rowsOf(first).map(({ json }) => json.message)).toEqual(['between']);
  expect([isDurable(), status()?.status.folder]).toEqual([true, second]);
});

test('an engine that is closed again while it is closing stays closed', async () => {
  init({ folder: newFolder() });
  const closing = close(20_000);
  init();
  await close(20_000);
  await closing;
  expect(await answers()).toEqual(nothing);
  expect(existsSync(other)).toBe(false);
});

test('an engine whose folder could not be used is the addon again after close and init', async () => {
  expect(init({ folder: 'a\0b' })).toBe(false);
  expect(captureMessage('lost')).not.toBe('');
  await close(20_000);
  const folder = newFolder();
  expect([init({ folder }), isDurable()]).toEqual([true, true]);
  captureMessage('kept');
  expect(await client().persist(20_000)).toBe('');
  expect(rowsOf(folder).map(({ json }) => json.message)).toEqual(['kept']);
});

test('a part that never ends leaves the engine its time, and what is queued is delivered', async () => {
  const sentry = await standIn(200, 'application/json', '{}');
  const dsn = `${sentry.url.replace('//', '//key@')}/42`;
  init({ folder: newFolder(), destinations: [{ name: 'sentry', kind: 'sentry', dsn }] });
  onClose(() => new Promise(() => undefined));
  const closed = vi.spyOn(client(), 'close');
  captureException(new Error('queued'));
  await close(16_000);
  expect(closed.mock.calls[0]?.[0]).toBeGreaterThan(0);
  expect(sentry.received.map(({ body }) => body).join()).toContain('queued');
});

test('a shutdown keeps time for the engine when a request and a part never end', async () => {
  const { url, server } = await served(() => undefined);
  init({ folder: newFolder() });
  onClose(() => new Promise(() => undefined));
  const closed = vi.spyOn(client(), 'close');
  // The app decides when the process ends.
  process.on('SIGUSR2', () => undefined);
  gracefulShutdown(server, { limitMs: 1_500, readyDelayMs: 60_000, signals: ['SIGUSR2'] });
  const hanging = fetch(url).catch(() => 'cut');
  await until(() => new Promise((resolve) => server.getConnections((_, count) => resolve(count === 1))), 'the request');
  process.emit('SIGUSR2', 'SIGUSR2');
  await until(() => closed.mock.calls.length === 1, 'the end of the engine');
  expect(closed.mock.calls[0]?.[0]).toBeGreaterThan(0);
  expect(await hanging).toBe('cut');
});

test('of two servers that end, the last one closes the engine, and its last error is in the folder of init', async () => {
  const folder = newFolder();
  const ended = await run(
    `const { createServer } = await import('node:http');
    rez.init({ folder: ${JSON.stringify(folder)} });
    const answers = [];
    const one = createServer().listen(0);
    const other = createServer((request, response) => answers.push(response)).listen(0, async () => {
      const asked = fetch('http://127.0.0.1:' + other.address().port).then((answer) => answer.text());
      const check = setInterval(() => {
        if (answers.length === 0) return;
        // The first server has ended when its listener is gone.
        if (process.listenerCount('SIGTERM') === 2 && !begun) { begun = true; process.kill(process.pid, 'SIGTERM'); }
        if (process.listenerCount('SIGTERM') !== 1) return;
        clearInterval(check);
        rez.captureException(new Error('in the last request'));
        answers[0].end('answered');
      }, 5);
      console.log(await asked);
    });
    let begun = false;
    for (const server of [one, other]) rez.gracefulShutdown(server);`,
    { REZ_FOLDER: other },
  );
  expect([ended.by, ended.stdout]).toEqual(['SIGTERM', 'answered\n']);
  expect(rowsOf(folder).map(({ json }) => json.message)).toEqual(['in the last request']);
  expect(existsSync(other)).toBe(false);
});

test('a destination that refuses its key is a line of the log', async () => {
  const sentry = await standIn(401, 'application/json', '{}');
  const dsn = `${sentry.url.replace('//', '//key@')}/42`;
  init({ folder: newFolder(), destinations: [{ name: 'sentry', kind: 'sentry', dsn }] });
  captureException(new Error('x'));
  await flush(20_000);
  const line = await until(() => lines.find(({ message }) => message.includes('is stopped')), 'the line');
  expect(line).toMatchObject({ level: 'error', message: expect.stringMatching(/^\[rez\] `sentry\/.*401/) });
});
