/** Cursors that wait for news, and answers in the context of another request, from the events that a driver emits: no server makes them at will. */
import { EventEmitter } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { inRequest } from '../src/core/context';
import { client } from '../src/core/monitor';
import { watchCommands } from '../src/drivers/mongodb';
import { close, init } from '../src/index';
import { newFolder, rowsOf } from './engine';
import { newLogger } from './logs';

afterEach(() => close(20_000));

/** The events of a driver. Each command takes longer than the limit, which is below zero time. */
function driver() {
  const folder = newFolder();
  const logger = newLogger();
  init({ folder, logger, limits: { slowQueryMs: 0 } });
  const events = new EventEmitter();
  watchCommands(events);
  let requestId = 0;
  const run = (command: Record<string, unknown>, cursor: unknown) => {
    requestId += 1;
    const [commandName] = Object.keys(command);
    events.emit('commandStarted', { requestId, commandName, databaseName: 'shop', command });
    events.emit('commandSucceeded', { requestId, commandName, duration: 1, reply: { cursor: { id: cursor } } });
  };
  return {
    watch: (cursor: bigint) => run({ aggregate: 'news', pipeline: [{ $changeStream: {} }] }, cursor),
    more: (cursor: bigint, next = cursor) => run({ getMore: cursor, collection: 'news' }, next),
    kill: (cursor: bigint) => run({ killCursors: 'news', cursors: [cursor] }, 0n),
    slow: () => logger.of('Slow database query').filter(({ method }) => method === 'getMore').length,
    async rows() {
      expect(await client().persist(20_000)).toBe('');
      return rowsOf(folder).filter(({ json }) => json.name === 'getMore news').length;
    },
  };
}

test('a cursor that waits for news is not slow until it is killed or has ended', async () => {
  const { watch, more, kill, slow, rows } = driver();
  watch(7n);
  more(7n);
  more(7n, 0n);
  expect(slow()).toBe(0);
  // The server may give the same id to another cursor.
  more(7n);
  expect(slow()).toBe(1);
  watch(8n);
  kill(8n);
  more(8n);
  expect(slow()).toBe(2);
  expect(await rows()).toBe(2);
});

test('a command has the trace and the user of the request that sent it, in whichever context its answer comes', async () => {
  const folder = newFolder();
  const logger = newLogger();
  init({ folder, logger, limits: { slowQueryMs: 0 } });
  const events = new EventEmitter();
  watchCommands(events);
  const request = (digit: string) => ({
    trace: { trace_id: digit.repeat(32), span_id: digit.repeat(16) },
    user: { id: `u-${digit}` },
  });
  const command = { find: 'carts', filter: {} };
  inRequest(request('1'), () =>
    events.emit('commandStarted', { requestId: 1, commandName: 'find', databaseName: 'shop', command }),
  );
  inRequest(undefined, () =>
    events.emit('commandStarted', { requestId: 2, commandName: 'find', databaseName: 'shop', command }),
  );
  inRequest(request('3'), () => {
    for (const requestId of [1, 2]) {
      events.emit('commandSucceeded', { requestId, commandName: 'find', duration: 1, reply: {} });
    }
  });
  expect(logger.of('Slow database query').map(({ trace_id }) => trace_id)).toEqual(['1'.repeat(32), undefined]);
  expect(await client().persist(20_000)).toBe('');
  const rows = rowsOf(folder).filter(({ json }) => json.name === 'find carts');
  expect(rows.map(({ json }) => json.user)).toEqual([{ id: 'u-1' }, undefined]);
  expect(rows[0]?.json.trace).toMatchObject({ trace_id: '1'.repeat(32) });
  expect(rows[1]?.json.trace).not.toMatchObject({ trace_id: '3'.repeat(32) });
});

test('of more cursors than are remembered the newest are', () => {
  const { watch, more, slow } = driver();
  for (let cursor = 1n; cursor <= 10_001n; cursor++) watch(cursor);
  more(10_001n);
  expect(slow()).toBe(0);
  more(1n);
  expect(slow()).toBe(1);
});
