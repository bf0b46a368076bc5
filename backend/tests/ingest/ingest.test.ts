import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import express from 'express';
import express4 from 'express4';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { setLogger } from '../../src/core/logger';
import { functionSink, type IngestOptions, type Observed, type Row, rezIngest, type Sink } from '../../src/ingest';
import { newFolder } from '../engine';
import { until } from '../waiting';
import { batch, DAY_MS, event, HOSTS, id, KEY, KEYS, listen, NOW, post, range, sendBatch } from './server';
import { type SqliteSink, sqliteSink } from './sqlite-sink';

let now = NOW;
let sink: SqliteSink;

beforeEach(() => {
  now = NOW;
  sink = sqliteSink(join(newFolder(), 'sink.sqlite'), () => now);
  setLogger({ debug() {}, info() {}, warn() {}, error() {} });
});

const failing = functionSink(async () => {
  throw new Error('down');
});
const handler = (more: Partial<IngestOptions> = {}) => rezIngest({ keys: KEYS, sink, now: () => now, ...more });
const start = (more: Partial<IngestOptions> = {}) => listen(handler(more));

describe.each(HOSTS)('on %s', (_name, host) => {
  test('a batch is stored, and the answer accounts for each event', async () => {
    const url = await listen(host(handler()));
    const bad = event(3, { kind: 'nothing' });
    const reply = await sendBatch(url, batch('x1', [event(1), event(2), bad, event(2)]));
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/json');
    expect(reply.json).toEqual({
      batch_id: 'x1',
      accepted: 2,
      duplicate: 1,
      rejected: [{ index: 2, id: id(3), code: 'invalid_field', field: 'kind', message: 'unknown kind' }],
      limits: [],
    });
    expect(sink.ids('shop')).toEqual([id(1), id(2)]);
  });

  test('another path is not its own', async () => {
    const url = await listen(host(handler()));
    expect((await fetch(`${url}/v1/batches`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${url}/v1/batch?x=1`, { method: 'POST' })).status).toBe(401);
    const wrong = await fetch(`${url}/v1/batch/`);
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe.each([
  ['Express 4', express4 as unknown as typeof express],
  ['Express 5', express],
])('on %s', (_name, make) => {
  test.each([
    ['express.json()', () => make.json({ limit: '2mb' })],
    ['express.raw()', () => make.raw({ type: () => true, limit: '2mb' })],
    ['express.raw() without unpacking', () => make.raw({ type: () => true, limit: '2mb', inflate: true })],
    ['express.text()', () => make.text({ type: () => true, limit: '2mb' })],
  ])('a body that %s has read before is taken', async (_parser, parser) => {
    const url = await listen(make().use(parser()).use(handler()) as never);
    expect((await sendBatch(url, batch('x1', [event(1)]))).json).toMatchObject({ accepted: 1 });
    const plain = JSON.stringify(batch('x2', [event(2)]));
    expect((await post(url, plain, { 'idempotency-key': 'x2' })).json).toMatchObject({ accepted: 1 });
  });

  test('a body that another handler has read and dropped is 400 and not a request that hangs', async () => {
    const app = make().use((req, _res, next) => void req.on('end', next).resume());
    const url = await listen(app.use(handler()) as never);
    expect((await sendBatch(url, batch('x1', [event(1)]))).status).toBe(400);
  });

  test('it can be mounted below a path', async () => {
    const url = await listen(make().use('/telemetry', handler()) as never);
    expect((await sendBatch(`${url}/telemetry`, batch('x1', [event(1)]))).status).toBe(200);
  });
});

test('a key names its project, and a wrong or missing one is 401 with no trace of it in the log', async () => {
  const lines: unknown[] = [];
  const log = (...line: unknown[]) => void lines.push(line);
  setLogger({ debug: log, info: log, warn: log, error: log });
  const url = await start({ sink: failing });
  const body = JSON.stringify(batch('x1', [event(1)]));
  const secret = 'wk-secret-4712';
  for (const authorization of [
    undefined,
    '',
    secret,
    `Bearer ${secret}`,
    `Basic ${KEY}`,
    `Digest ${KEY}`,
    'Bearer',
    'Bearer __proto__',
  ]) {
    const reply = await post(url, body, { authorization, 'idempotency-key': 'x1' });
    expect(reply.status).toBe(401);
    expect(reply.json).toEqual({
      error: { code: 'key', message: 'the key in `Authorization: Bearer` is missing or invalid' },
    });
  }
  expect((await post(url, body, { 'idempotency-key': 'x1' })).status).toBe(503);
  expect(lines).not.toEqual([]);
  expect(JSON.stringify(lines)).not.toMatch(/wk-/);
});

test('keys can be looked up by a function, which may fail or hang', async () => {
  const find = async (key: string) => {
    if (key === 'hang') return new Promise<string>(() => undefined);
    if (key === 'down') throw new Error('no database');
    return key === KEY ? 'shop' : undefined;
  };
  const url = await start({ keys: find, sinkMs: 50 });
  const as = (key: string) => sendBatch(url, batch('x1', [event(1)]), { authorization: `Bearer ${key}` });
  expect((await as(KEY)).status).toBe(200);
  expect((await as('other')).status).toBe(401);
  expect((await as('down')).status).toBe(503);
  expect((await as('hang')).status).toBe(503);
});

test('the same id of two projects is two events', async () => {
  const url = await start();
  for (const key of Object.keys(KEYS)) {
    const reply = await sendBatch(url, batch('x1', [event(1)]), { authorization: `Bearer ${key}` });
    expect(reply.json).toMatchObject({ accepted: 1 });
  }
  expect([sink.ids('shop'), sink.ids('other')]).toEqual([[id(1)], [id(1)]]);
});

test('the same key and events get the stored answer from any instance, also with other losses', async () => {
  const [one, other] = await Promise.all([start(), start()]);
  const first = await sendBatch(one, batch('x1', [event(1), event(2)]));
  const lost = [{ kind: 'log', reason: 'sampled', count: 1 }];
  const again = await sendBatch(other, batch('x1', [event(1), event(2)], { lost }));
  expect([again.status, again.text]).toEqual([200, first.text]);
  expect(first.json).toMatchObject({ accepted: 2, duplicate: 0 });
});

test('the same key with other events, or in another order, is 422 and stores nothing', async () => {
  const url = await start();
  await sendBatch(url, batch('x1', [event(1), event(2)]));
  for (const events of [[event(2), event(1)], [event(1)], [event(1), event(3)], []]) {
    const reply = await sendBatch(url, batch('x1', events));
    expect([reply.status, reply.json.error.code]).toEqual([422, 'idempotency_clash']);
  }
  expect(sink.ids('shop')).toHaveLength(2);
});

test('after 24 hours a key is new and its events are duplicates', async () => {
  const url = await start();
  await sendBatch(url, batch('x1', [event(1)]));
  now += DAY_MS + 1;
  expect((await sendBatch(url, batch('x1', [event(1)]))).json).toMatchObject({ accepted: 0, duplicate: 1 });
});

test('an event in another batch, in upper case or twice in one batch is a duplicate', async () => {
  const url = await start();
  await sendBatch(url, batch('x1', [event(1), event(2)]));
  const upper = event(1, { id: id(1).toUpperCase() });
  const reply = await sendBatch(url, batch('x2', [event(2), event(3), event(3), upper]));
  expect(reply.json).toMatchObject({ accepted: 1, duplicate: 3, rejected: [] });
});

test('the raw time is kept beside the corrected one', async () => {
  const url = await start();
  // The wall clock of the device is wrong by years; its monotonic clock says 65 s.
  const sent = { 'x-rez-mono': '65005', 'x-rez-sent-at': '1999-01-01T00:00:00.000Z' };
  await sendBatch(url, batch('x1', [event(1, { ts: '1999-06-01T00:00:00.000Z' })]), sent);
  const [row] = sink.rows('shop') as unknown as Record<keyof Row, string>[];
  expect(row).toMatchObject({
    ts: '1999-06-01T00:00:00.000Z',
    corrected_at: new Date(NOW - 65_000).toISOString(),
    received_at: new Date(NOW).toISOString(),
    install: 'i1',
    epoch: 1,
    seq: 2 ** 40 + 1,
    resource: { app: 'shop' },
    fields: { session: 's', attrs: { n: 1 } },
  });
});

test('of losses the largest total of each epoch stays', async () => {
  const url = await start();
  for (const [epoch, count] of [
    [1, 5],
    [1, 9],
    [1, 7],
    [2, 1],
  ] as const) {
    const lost = [{ kind: 'api_call', reason: 'evicted_bytes', count }];
    expect((await sendBatch(url, batch(`x${epoch}${count}`, [], { epoch, lost }))).status).toBe(200);
  }
  expect(sink.totals().map(({ epoch, count }) => [epoch, count])).toEqual([
    [1, 9],
    [2, 1],
  ]);
});

test('a sink that fails, hangs or answers nonsense acknowledges nothing', async () => {
  const work = vi.fn<Sink['store']>();
  const url = await start({ sink: { store: work }, sinkMs: 100 });
  const send = () => sendBatch(url, batch('x1', [event(1)]));
  work.mockRejectedValueOnce(new Error('down'));
  const failed = await send();
  expect([failed.status, failed.json.error.code]).toEqual([503, 'sink']);
  expect(Number(failed.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  work.mockRejectedValueOnce(Object.assign(new Error('busy'), { retryAfter: 7.2 }));
  expect((await send()).headers.get('retry-after')).toBe('8');
  work.mockImplementationOnce(() => {
    throw new TypeError('at once');
  });
  expect((await send()).status).toBe(503);
  let signal: AbortSignal | undefined;
  work.mockImplementationOnce((_rows, delivery) => {
    signal = delivery.signal;
    return new Promise(() => undefined);
  });
  expect((await send()).status).toBe(503);
  expect(signal?.aborted).toBe(true);
  work.mockResolvedValueOnce({ duplicates: 7 as never });
  expect((await send()).status).toBe(503);
  // Ids that were not sent change no count.
  work.mockResolvedValueOnce({ duplicates: [id(1), id(1), id(9)], refused: [{ id: id(8), message: 'no' }] });
  expect((await send()).json).toMatchObject({ accepted: 0, duplicate: 1, rejected: [] });
});

test('an event that the sink refuses is rejected, and the others are accepted', async () => {
  const refusing = functionSink(async () => ({ refused: [{ id: id(2), message: 'too odd' }] }));
  const url = await start({ sink: refusing });
  const { json } = await sendBatch(url, batch('x1', [event(1), event(2), event(3), 5]));
  expect(json).toMatchObject({ accepted: 2, duplicate: 0 });
  expect(json.rejected).toMatchObject([
    { index: 1, id: id(2), code: 'refused', message: 'too odd' },
    { index: 3, id: '', code: 'invalid_field' },
  ]);
});

test('more batches at once than the limit get 429, and every one is stored once when it comes again', async () => {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const slow: Sink = {
    async store(rows, delivery) {
      await gate;
      return sink.store(rows, delivery);
    },
    ...(sink.answers && { answers: sink.answers }),
  };
  const url = await start({ sink: slow, concurrent: 2 });
  let refused = 0;
  const deliver = async (n: number) => {
    for (;;) {
      const reply = await sendBatch(url, batch(`x${n}`, [event(n)]));
      if (reply.status === 200) return;
      expect([reply.status, reply.json.error.code]).toEqual([429, 'busy']);
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      refused += 1;
      // Two hold the places; each of the others has been refused.
      if (refused === 48) open();
      await gate;
    }
  };
  await Promise.all(range(0, 49).map(deliver));
  expect(refused).toBeGreaterThanOrEqual(48);
  expect(sink.ids('shop')).toEqual(range(0, 49).map(id));
});

/** A request whose body has begun, and whose answer. */
function begun(url: string, bytes: number): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-length': bytes + 10 };
  return new Promise((resolve) => {
    const slow = request(`${url}/v1/batch`, { method: 'POST', headers }, (response) => resolve(response.statusCode));
    slow.on('error', () => resolve(undefined));
    slow.write('x'.repeat(bytes));
  });
}

/** A server, and the requests whose bodies it reads. */
async function reading(options: Partial<IngestOptions>): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const own = handler(options);
  const url = await listen((req, res) => {
    requests.push(req);
    own(req, res);
  });
  return { url, requests };
}

/** Whether the handler has taken so many bytes of a body, and waits for more. */
function isTaken(req: IncomingMessage | undefined, bytes: number): boolean {
  return req?.readableFlowing === true && req.readableLength === 0 && req.socket.bytesRead > bytes;
}

test('clients that send slowly hold no place of a batch', async () => {
  const { url, requests } = await reading({ concurrent: 2, bodyMs: 20_000 });
  for (let at = 0; at < 40; at++) void begun(url, 1_000);
  await until(() => requests.length === 40 && requests.every((req) => isTaken(req, 1_000)));
  expect((await sendBatch(url, batch('x1', [event(1)]))).status).toBe(200);
});

test('bodies that are arriving have a limit together, and what has ended is free again', async () => {
  const { url, requests } = await reading({ arrivingBytes: 10_000, bodyMs: 20_000 });
  void begun(url, 6_000);
  await until(() => isTaken(requests[0], 6_000));
  expect(await begun(url, 6_000)).toBe(429);
  expect((await sendBatch(url, batch('x1', [event(1)]))).status).toBe(200);
  requests[0]?.socket.destroy();
  await until(async () => (await post(url, 'x'.repeat(9_000))).status === 400);
});

test('what became of a request is told, and what the listener throws does not matter', async () => {
  const seen: Observed[] = [];
  const observe = (one: Observed) => {
    seen.push(one);
    throw new Error('mine');
  };
  const url = await start({ observe });
  await sendBatch(url, batch('x1', [event(1), event(1), 5]));
  await post(url, '{', { authorization: undefined });
  await until(() => seen.length === 2);
  expect(seen[0]).toMatchObject({ status: 200, project: 'shop', accepted: 1, duplicate: 1, rejected: 1 });
  expect(seen[1]).toMatchObject({ status: 401, accepted: 0 });
  expect(seen[1]).not.toHaveProperty('project');
});

test('a listener that is async and rejects is no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const hear = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', hear);
  try {
    let seen = 0;
    const url = await start({
      observe: async () => {
        seen += 1;
        throw new Error('mine');
      },
    });
    await sendBatch(url, batch('x1', [event(1)]));
    await until(() => seen === 1);
    // Node.js tells of a rejection before the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});

test('a sink that fails a thousand times writes a few lines, with the number of failures', async () => {
  const lines: unknown[] = [];
  setLogger({ info() {}, warn() {}, error: (...line: unknown[]) => void lines.push(line[1]) });
  const url = await start({ sink: failing });
  await Promise.all(range(1, 20).map((n) => sendBatch(url, batch(`x${n}`, [event(n)]))));
  now += 10_000;
  await sendBatch(url, batch('y', [event(1)]));
  expect(lines).toEqual([
    { error: expect.stringContaining('down'), failures: 1 },
    { error: expect.stringContaining('down'), failures: 20 },
  ]);
});

test('a client that goes in the middle of its body, or before the answer, frees its place', async () => {
  const statuses: number[] = [];
  const url = await start({ concurrent: 1, observe: ({ status }) => void statuses.push(status) });
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-length': 1000 };
  const half = request(`${url}/v1/batch`, { method: 'POST', headers });
  half.on('error', () => undefined);
  half.write('{"v":1');
  half.on('socket', (socket) => socket.on('connect', () => setImmediate(() => half.destroy())));
  await until(() => statuses.length === 1);
  expect(statuses).toEqual([499]);
  expect((await sendBatch(url, batch('x1', [event(1)]))).status).toBe(200);
});

test('a body that comes too slowly is 408', async () => {
  const url = await start({ bodyMs: 50, concurrent: 1 });
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'content-length': 1000 };
  const status = await new Promise((resolve, reject) => {
    const slow = request(`${url}/v1/batch`, { method: 'POST', headers }, (response) => resolve(response.statusCode));
    slow.on('error', reject);
    slow.write('{');
  });
  expect(status).toBe(408);
  expect((await sendBatch(url, batch('x1', [event(1)]))).status).toBe(200);
});

test('options that cannot be used are named at the start', () => {
  const make = (options: object) => () => rezIngest({ keys: KEYS, sink, ...options } as IngestOptions);
  expect(make({ sink: undefined })).toThrow(/sink/);
  expect(make({ keys: {} })).toThrow(/keys/);
  expect(make({ keys: undefined })).toThrow(/keys/);
  expect(make({ keys: { '': 'shop' } })).toThrow(/empty/);
  expect(make({ keys: { [KEY]: '' } })).toThrow(/project/);
  expect(make({ keys: { [KEY]: '' } })).not.toThrow(KEY);
  for (const concurrent of [0, -1, Number.NaN, '3']) expect(make({ concurrent })).toThrow(/concurrent/);
  expect(() => rezIngest(undefined as never)).toThrow();
});
