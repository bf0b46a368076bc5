import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Redis from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { inRequest } from '../src/core/context';
import { client } from '../src/core/monitor';
import { subscribe } from '../src/core/signals';
import { close, init } from '../src/index';
import { run } from './child';
import { newFolder, type Row, rowsOf } from './engine';
import { newLogger } from './logs';
import { noRedis, type Peer, startRedis } from './peers';
import { until } from './waiting';

let folder = '';

function open(slowRedisMs: number): void {
  folder = newFolder();
  init({ folder, logger: newLogger(), limits: { slowRedisMs } });
}

/** Where there is no `/proc`, the signal has to do. */
const isStopped = (pid: number | undefined): boolean =>
  process.platform !== 'linux' || /^State:\tT/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

async function rows(): Promise<Row[]> {
  expect(await client().persist(20_000)).toBe('');
  return rowsOf(folder).filter(({ kind }) => kind === 'span');
}

describe.skipIf(noRedis !== '')(`with a real Redis${noRedis}`, () => {
  let peer: Peer;
  let redis: Redis;

  beforeAll(async () => {
    peer = await startRedis();
    redis = new Redis(peer.port, '127.0.0.1');
    await redis.ping();
  });
  afterEach(() => close(20_000));
  afterAll(() => redis.disconnect());

  test('a slow command is a row with its name, the trace of the request and no argument', async () => {
    open(0);
    const trace = { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) };
    await inRequest({ trace }, () => redis.set('cart:asha', 'secret'));
    const [row, ...others] = await rows();
    expect(others).toEqual([]);
    expect(row?.json).toMatchObject({
      name: 'set',
      op: 'db.redis',
      status: 'ok',
      trace: { trace_id: trace.trace_id, parent: trace.span_id },
      attrs: { 'db.system.name': 'redis', 'db.operation.name': 'set' },
    });
    expect(JSON.stringify(row)).not.toMatch(/asha|secret/);
  });

  test('a quick command, one that waits for others, and a script that is sent anew are no rows', async () => {
    open(60_000);
    await redis.get('x');
    await expect(redis.evalsha('0'.repeat(40), 0)).rejects.toThrow('NOSCRIPT');
    init({ limits: { slowRedisMs: 0 } });
    await redis.blpop('nothing', 0.01);
    expect(await rows()).toEqual([]);
  });

  test('a command that fails is a row with the code of the answer, and the app gets its error', async () => {
    open(60_000);
    await redis.set('text', 'secret');
    await expect(redis.lpush('text', 'secret')).rejects.toThrow('WRONGTYPE');
    await expect(redis.call('nonsense', 'secret')).rejects.toThrow('unknown command');
    const all = await rows();
    expect(all.map(({ json }) => [json.name, (json.attrs as Record<string, string>)['error.type']])).toEqual([
      ['lpush', 'WRONGTYPE'],
      ['nonsense', 'ERR'],
    ]);
    expect(JSON.stringify(all)).not.toContain('secret');
  });

  test('each command is published once, with its outcome and without an argument', async () => {
    open(60_000);
    const signals: unknown[] = [];
    const end = subscribe('rez:redis.command', (signal) => signals.push(signal));
    await redis.set('cart:asha', '1');
    await redis.get('cart:asha');
    await redis.mget('cart:asha', 'none');
    await redis.lpush('cart:asha', '1').catch(() => 'WRONGTYPE');
    await redis.multi().get('cart:asha').mget('cart:asha', 'none').getBuffer('cart:asha').exec();
    end();
    const durationMs = expect.any(Number);
    const ok = { database: 0, durationMs, failed: false };
    expect(signals).toEqual([
      { ...ok, command: 'set' },
      { ...ok, command: 'get', hit: true },
      { ...ok, command: 'mget', hit: false },
      { ...ok, command: 'lpush', failed: true, errorType: 'WRONGTYPE' },
      // Commands of a transaction have no value before its end.
      { ...ok, command: 'multi' },
      { ...ok, command: 'get' },
      { ...ok, command: 'mget' },
      { ...ok, command: 'get' },
      { ...ok, command: 'exec' },
      { ...ok, command: 'multi' },
    ]);
    expect(JSON.stringify(signals)).not.toContain('asha');
  });

  test('a connection that begins is no row, whatever the server refuses of it', async () => {
    open(60_000);
    const other = new Redis(peer.port, '127.0.0.1', { connectionName: 'other' });
    await other.ping();
    other.disconnect();
    expect(await rows()).toEqual([]);
  });

  test('a command to a Redis that hangs is a failed row as soon as the client gives up', async () => {
    open(60_000);
    const impatient = new Redis(peer.port, '127.0.0.1');
    await impatient.ping();
    // From now on: the connection takes as long as it takes.
    impatient.options.commandTimeout = 50;
    peer.process.kill('SIGSTOP');
    try {
      // The signal alone does not stop it at once.
      await until(() => isStopped(peer.process.pid));
      await expect(impatient.get('x')).rejects.toThrow('timed out');
    } finally {
      peer.process.kill('SIGCONT');
      impatient.disconnect();
    }
    expect((await rows()).map(({ json }) => [json.name, json.status])).toEqual([['get', 'error']]);
  });
});

test.each([
  ['5.4.1', 1],
  ['6.0.0', 0],
])('an app with ioredis %s is told %i times that its commands are not seen', async (version, times) => {
  const app = newFolder();
  mkdirSync(join(app, 'node_modules/ioredis'), { recursive: true });
  writeFileSync(join(app, 'node_modules/ioredis/package.json'), JSON.stringify({ name: 'ioredis', version }));
  const script = 'rez.init(); await rez.close(0); rez.init(); await rez.close(0);';
  const { stderr } = await run(script, { REZ_FOLDER: join(app, 'queue') }, app);
  expect(stderr.match(/does not publish its commands/g) ?? []).toHaveLength(times);
});
