/** Every bad body and event, and what is answered. */
import { request } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { setLogger } from '../../src/core/logger';
import { rezIngest } from '../../src/ingest';
import { MAX_BYTES, MAX_EVENT_BYTES, MAX_EVENTS } from '../../src/ingest/limits';
import { newFolder } from '../engine';
import { batch, DAY_MS, event, id, KEY, KEYS, listen, NOW, post, range, sendBatch } from './server';
import { type SqliteSink, sqliteSink } from './sqlite-sink';

let sink: SqliteSink;
let url: string;

beforeEach(async () => {
  setLogger({ info() {}, warn() {}, error() {} });
  sink = sqliteSink(join(newFolder(), 'sink.sqlite'), () => NOW);
  url = await listen(rezIngest({ keys: KEYS, sink, now: () => NOW }));
});

const bytes = (buffer: Buffer) => new Uint8Array(buffer);
const good = JSON.stringify(batch('x1', [event(1)]));
const packed = gzipSync(good);
const gzip = { 'content-encoding': 'gzip' };
const change = (members: object) => JSON.stringify({ ...batch('x1', [event(1)]), ...members });
const lost = (entry: unknown) => change({ lost: [entry] });

/** A list in a list in a list. */
function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe('a body', () => {
  type Case = [what: string, status: number, code: string, body: string | Uint8Array<ArrayBuffer>, headers?: object];
  const cases: Case[] = [
    ['that is empty', 400, 'unreadable', ''],
    ['that is no JSON', 400, 'unreadable', '{'],
    ['that is a web form', 415, 'content_type', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['that is plain text by its type', 415, 'content_type', good, { 'content-type': 'text/plain' }],
    ['that is null', 400, 'unreadable', 'null'],
    ['that is a list', 400, 'unreadable', '[]'],
    ['that is a number', 400, 'unreadable', '1'],
    ['without members', 400, 'unreadable', '{}'],
    ['that begins with a byte order mark', 400, 'unreadable', `\ufeff${good}`],
    ['that is not UTF-8', 400, 'unreadable', bytes(Buffer.from(good.replace('i1', '\xff\xfe'), 'latin1'))],
    ['that is nested a hundred thousand times', 400, 'unreadable', '['.repeat(100_000)],
    ['of another version', 400, 'unreadable', change({ v: 2 })],
    ['whose version is a text', 400, 'unreadable', change({ v: '1' })],
    ['without an id', 400, 'unreadable', change({ batch_id: '' })],
    ['with an id of a thousand characters', 400, 'unreadable', change({ batch_id: 'x'.repeat(1000) })],
    ['without an installation', 400, 'unreadable', change({ install: null })],
    ['without an epoch', 400, 'unreadable', change({ epoch: undefined })],
    ['with a negative epoch', 400, 'unreadable', change({ epoch: -1 })],
    ['without a boot', 400, 'unreadable', change({ boot: undefined })],
    ['whose resource is nested a thousand times', 400, 'unreadable', change({ resource: { deep: nested(1_000) } })],
    ['whose resource is large', 400, 'unreadable', change({ resource: { app: 'x'.repeat(17_000) } })],
    ['whose sdk is a text', 400, 'unreadable', change({ sdk: 'x' })],
    ['without events', 400, 'unreadable', change({ events: undefined })],
    ['whose events are an object', 400, 'unreadable', change({ events: {} })],
    ['whose losses are no list', 400, 'unreadable', change({ lost: {} })],
    ['with a loss that is null', 400, 'unreadable', lost(null)],
    ['with a loss of no word', 400, 'unreadable', lost({ reason: 'Evicted', kind: 'log', count: 1 })],
    ['with a loss of half an event', 400, 'unreadable', lost({ reason: 'a', kind: 'log', count: 0.5 })],
    [
      'with a thousand and one losses',
      400,
      'unreadable',
      change({ lost: Array(1001).fill({ reason: 'a', kind: 'b', count: 1 }) }),
    ],
    ['under another key', 400, 'idempotency_key', good, { 'idempotency-key': 'x2' }],
    ['without a key', 400, 'idempotency_key', good, { 'idempotency-key': undefined }],
    [
      'of 501 events',
      413,
      'too_many',
      JSON.stringify(
        batch(
          'x1',
          range(1, 501).map((n) => event(n)),
        ),
      ),
    ],
    ['of one byte more than the limit', 413, 'too_large', ' '.repeat(MAX_BYTES + 1)],
    ['that is gzip of nothing', 400, 'unreadable', bytes(gzipSync('')), gzip],
    ['that is said to be gzip and is empty', 400, 'unreadable', '', gzip],
    ['that is said to be gzip and is not', 400, 'unreadable', good, gzip],
    ['whose gzip is cut', 400, 'unreadable', bytes(packed.subarray(0, -9)), gzip],
    [
      'whose gzip has a wrong check sum',
      400,
      'unreadable',
      bytes(Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8)])),
      gzip,
    ],
    ['that is a gzip bomb', 413, 'too_large', bytes(gzipSync(Buffer.alloc(100 * MAX_BYTES))), gzip],
    [
      'that is a bomb of two members',
      413,
      'too_large',
      bytes(Buffer.concat([gzipSync(Buffer.alloc(MAX_BYTES)), gzipSync('1')])),
      gzip,
    ],
    [
      'that is a deflate bomb',
      413,
      'too_large',
      bytes(deflateSync(Buffer.alloc(8 * MAX_BYTES))),
      { 'content-encoding': 'deflate' },
    ],
    ['in an encoding that is not known', 415, 'encoding', good, { 'content-encoding': 'br' }],
    ['in two encodings', 415, 'encoding', good, { 'content-encoding': 'gzip, gzip' }],
  ];
  test.each(cases)('%s is %i %s, and nothing is stored', async (_what, status, code, body, headers) => {
    const reply = await post(url, body, { 'idempotency-key': 'x1', ...headers });
    expect([reply.status, reply.json.error.code]).toEqual([status, code]);
    expect(reply.json.error.message).not.toBe('');
    expect(status === 413 ? reply.json : {}).toMatchObject(
      status === 413 ? { max_bytes: MAX_BYTES, max_events: MAX_EVENTS } : {},
    );
    expect(sink.ids('shop')).toEqual([]);
    // The server goes on.
    expect((await sendBatch(url, batch('next', [event(9)]))).status).toBe(200);
  });

  test('that is a bomb of 900 MiB is not unpacked', async () => {
    const member = gzipSync(Buffer.alloc(1024 * 1024));
    const bomb = Buffer.concat(Array.from({ length: 900 }, () => member));
    expect(bomb.length).toBeLessThan(MAX_BYTES);
    const before = process.resourceUsage().maxRSS;
    expect((await post(url, bytes(bomb), { 'idempotency-key': 'x1', ...gzip })).status).toBe(413);
    // In KiB.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(200 * 1024);
  });

  test('exactly at the limits is accepted', async () => {
    const text = JSON.stringify(
      batch(
        'x1',
        range(1, 500).map((n) => event(n)),
      ),
    );
    const whole = text + ' '.repeat(MAX_BYTES - text.length);
    expect((await post(url, whole, { 'idempotency-key': 'x1' })).json).toMatchObject({ accepted: 500 });
    const random = JSON.stringify(batch('x2', [event(501)]));
    const stored = gzipSync(random + ' '.repeat(MAX_BYTES - random.length), { level: 0 });
    expect((await post(url, bytes(stored), { 'idempotency-key': 'x2', ...gzip })).json).toMatchObject({ accepted: 1 });
  });

  test('deflate, x-gzip and a character set in the type are read', async () => {
    const send = (n: number, body: Buffer, headers: object) =>
      post(url, bytes(body), { 'idempotency-key': `x${n}`, ...headers });
    const text = (n: number) => JSON.stringify(batch(`x${n}`, [event(n)]));
    expect((await send(1, deflateSync(text(1)), { 'content-encoding': 'deflate' })).status).toBe(200);
    expect((await send(2, gzipSync(text(2)), { 'content-encoding': 'X-GZIP' })).status).toBe(200);
    expect((await send(3, Buffer.from(text(3)), { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(
      200,
    );
    expect((await send(4, Buffer.from(text(4)), { 'content-encoding': 'identity' })).status).toBe(200);
  });

  /** Sends bytes as they are and reads until the end of the connection. Tells the answer, and how many bytes the server let it send. */
  const raw = (head: string, chunks: Iterable<Buffer>): Promise<{ answer: string; sent: number }> =>
    new Promise((resolve) => {
      const socket = new Socket();
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk.toString();
      });
      socket.on('error', () => undefined).on('close', () => resolve({ answer, sent: socket.bytesWritten }));
      socket.connect(Number(new URL(url).port), '127.0.0.1', async () => {
        socket.write(`POST /v1/batch HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${KEY}\r\n${head}\r\n\r\n`);
        for (const chunk of chunks) {
          if (socket.destroyed) break;
          if (!socket.write(chunk)) {
            await Promise.race(['drain', 'close'].map((name) => new Promise((done) => socket.once(name, done))));
          }
        }
        socket.end();
      });
    });

  function* megabytes(count: number): Generator<Buffer> {
    for (let at = 0; at < count; at++) yield Buffer.alloc(1024 * 1024, ' ');
  }

  test('of 100 MB is 413, and the connection ends before all of it is read', async () => {
    const { answer, sent } = await raw(`Content-Length: ${100 * 1024 * 1024}`, megabytes(100));
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(sent).toBeLessThan(80 * 1024 * 1024);
  });

  test('of 100 MB without a length is 413 too', async () => {
    function* chunked() {
      for (const chunk of megabytes(100)) yield Buffer.concat([Buffer.from('100000\r\n'), chunk, Buffer.from('\r\n')]);
    }
    const { answer, sent } = await raw('Transfer-Encoding: chunked', chunked());
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(sent).toBeLessThan(80 * 1024 * 1024);
  });

  test('that is said to have 100 MB is 413 before it comes', async () => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-length': 100 * 1024 * 1024 };
    const status = await new Promise((resolve, reject) => {
      const sent = request(`${url}/v1/batch`, { method: 'POST', headers }, (response) => resolve(response.statusCode));
      sent.on('error', reject).write('{');
    });
    expect(status).toBe(413);
  });

  test('that ends before its length leaves nothing behind', async () => {
    expect((await raw('Content-Length: 1000', [Buffer.from(good.slice(0, 100))])).answer).not.toMatch(/^HTTP\/1.1 200/);
    expect(sink.ids('shop')).toEqual([]);
  });

  test('with a header that holds a line break is refused by Node.js, and the server goes on', async () => {
    expect((await raw('Content-Length: 2\r\nIdempotency-Key: a\rb', [Buffer.from('{}')])).answer).toMatch(
      /^HTTP\/1.1 400/,
    );
    expect((await sendBatch(url, batch('next', [event(9)]))).status).toBe(200);
  });
});

describe('an event', () => {
  const days = (count: number) => ({ ts: new Date(NOW - count * DAY_MS).toISOString(), mono_ms: null });
  type Case = [what: string, code: string, field: string, event: unknown];
  const cases: Case[] = [
    ['that is a number', 'invalid_field', '', 5],
    ['that is null', 'invalid_field', '', null],
    ['that is a list', 'invalid_field', '', [1]],
    ['without id', 'missing_field', 'id', event(1, { id: undefined })],
    ['without seq', 'missing_field', 'seq', event(1, { seq: undefined })],
    ['without kind', 'missing_field', 'kind', event(1, { kind: undefined })],
    ['without ts', 'missing_field', 'ts', event(1, { ts: undefined })],
    ['whose id is no UUID', 'invalid_field', 'id', event(1, { id: 'x' })],
    ['whose id is a number', 'invalid_field', 'id', event(1, { id: 7 })],
    ['whose id is of version 4', 'invalid_field', 'id', event(1, { id: '019f0c1e-7c1e-4a53-9b0e-000000000001' })],
    ['whose id has an operator of a database', 'invalid_field', 'id', event(1, { id: { $ne: '' } })],
    ['whose seq is negative', 'invalid_field', 'seq', event(1, { seq: -1 })],
    ['whose seq is above 2^53', 'invalid_field', 'seq', event(1, { seq: 2 ** 53 })],
    ['whose seq is a fraction', 'invalid_field', 'seq', event(1, { seq: 1.5 })],
    ['of a kind in upper case', 'invalid_field', 'kind', event(1, { kind: 'Error' })],
    ['of the kind __proto__', 'invalid_field', 'kind', event(1, { kind: '__proto__' })],
    ['whose time is a word', 'invalid_field', 'ts', event(1, { ts: 'yesterday' })],
    ['whose time is a number', 'invalid_field', 'ts', event(1, { ts: 5 })],
    ['whose time has no offset', 'invalid_field', 'ts', event(1, { ts: '2026-11-23T02:18:05' })],
    ['whose time does not exist', 'invalid_field', 'ts', event(1, { ts: '2026-13-23T02:18:05Z' })],
    ['whose boot is a number', 'invalid_field', 'boot', event(1, { boot: 1 })],
    ['whose mono_ms is a fraction', 'invalid_field', 'mono_ms', event(1, { mono_ms: 1.5 })],
    ['whose mono_ms is a text', 'invalid_field', 'mono_ms', event(1, { mono_ms: '5' })],
    ['that is too large', 'too_large', '', event(1, { attrs: { a: 'x'.repeat(MAX_EVENT_BYTES) } })],
    [
      'that is too large in another script',
      'too_large',
      '',
      event(1, { attrs: { a: 'अ'.repeat(MAX_EVENT_BYTES / 3) } }),
    ],
    ['that is too deep', 'invalid_field', '', event(1, { attrs: { deep: nested(1_000) } })],
    ['that is 32 days old', 'too_old', 'ts', event(1, days(32))],
  ];
  test.each(cases)('%s is rejected as %s, and the others are accepted', async (_what, code, field, bad) => {
    const { status, json } = await sendBatch(url, batch('x1', [event(7), bad, event(8)]));
    expect([status, json.accepted, json.duplicate, json.rejected.length]).toEqual([200, 2, 0, 1]);
    expect(json.rejected[0]).toMatchObject({ index: 1, code, field });
    expect(json.rejected[0].message).not.toBe('');
    expect(sink.ids('shop')).toEqual([id(7), id(8)]);
  });

  test.each([
    ['of 64 KiB', {}, { attrs: { a: 'x'.repeat(64 * 1024) } }],
    ['of 30 days', {}, days(30)],
    // The age is that of the corrected time: the clock of this device is a year behind.
    ['whose device is a year behind', { 'x-rez-sent-at': new Date(NOW - 365 * DAY_MS).toISOString() }, days(365)],
    ['of a time that no device keeps', {}, days(500)],
    ['from tomorrow', {}, days(-1)],
    ['of 1969 with an offset and nanoseconds', {}, { ts: '1969-12-31T23:59:59.123456789-05:30', mono_ms: null }],
    ['of another boot', {}, { boot: 'b0' }],
    ['from before the boot', { 'x-rez-mono': '5000' }, { mono_ms: -60_000 }],
    ['without boot', {}, { boot: null }],
  ])('%s is accepted', async (_what, headers, members) => {
    const { json } = await sendBatch(url, batch('x1', [event(1, members)]), headers as Record<string, string>);
    expect(json).toMatchObject({ accepted: 1, rejected: [] });
  });

  test.each(['x-rez-sent-at', 'x-rez-mono'])(
    'with a header %s that cannot be read is accepted as it is',
    async (name) => {
      for (const value of ['', 'soon', '-1', '1e9', '9'.repeat(400)]) {
        expect((await sendBatch(url, batch(`x${value.length}${value[0]}`, [event(1)]), { [name]: value })).status).toBe(
          200,
        );
      }
    },
  );
});
