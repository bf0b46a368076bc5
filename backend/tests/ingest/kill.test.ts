/** The real engine against a server that is killed, or whose answers are cut: nothing is lost, and nothing is stored twice. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { captureException, close, flush, init } from '../../src/index';
import { functionSink, rezIngest } from '../../src/ingest';
import { newFolder } from '../engine';
import { connectMongo, noMongo, type Peer, startMongo } from '../peers';
import { until } from '../waiting';
import { batch, event, id, KEY, KEYS, listen, NOW, range, sendBatch } from './server';
import { type SqliteSink, sqliteSink } from './sqlite-sink';

const children = new Set<Child>();

interface Child {
  port: number;
  /** Ends with the signal that ended the process. */
  ended: Promise<NodeJS.Signals | null>;
  kill(): void;
}

afterEach(async () => {
  await close(5_000);
  for (const child of children) child.kill();
  await Promise.all([...children].map(({ ended }) => ended));
  children.clear();
});

/** Starts the server in a process of its own. */
async function startChild(store: string, port: number, kill?: string): Promise<Child> {
  const environment = { REZ_TEST_STORE: store, REZ_TEST_PORT: String(port), ...(kill && { REZ_TEST_KILL: kill }) };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.mjs')], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    ended.then((signal) => Promise.reject(new Error(`the server ended: ${signal}`))),
  ])) as [Buffer];
  const known = { port: Number(line.toString()), ended, kill: () => void child.kill('SIGKILL') };
  children.add(known);
  return known;
}

/** Opens the engine with the server as its only destination, and records errors. Returns their ids. */
function record(port: number, count: number): string[] {
  const destinations = [{ name: 'rez', kind: 'rez' as const, endpoint: `http://127.0.0.1:${port}`, key: KEY }];
  init({
    folder: newFolder(),
    app: 'shop',
    release: 'shop@1.0.0',
    destinations,
    logger: { info() {}, warn() {}, error() {} },
  });
  return range(1, count).map((n) => captureException(Object.assign(new Error(`cart ${n}`), { name: `CartError${n}` })));
}

/** Sends until the engine has nothing left. */
async function deliver(): Promise<void> {
  await until(async () => {
    const { destinations } = await flush(5_000);
    return destinations.length > 0 && destinations.every(({ left }) => left === 0);
  }, 'an empty queue');
}

const PLACES = ['before the rows are stored', 'after the rows are stored', 'after the answer is stored'];

async function killedAt(place: string, store: string, stored: () => Promise<string[]>): Promise<void> {
  const first = await startChild(store, 0, place);
  const ids = record(first.port, 20);
  await flush(5_000);
  expect(await first.ended).toBe('SIGKILL');
  const before = await stored();
  // What this shows is not by chance: the rows were there, or not, when nobody had got an answer.
  expect(before.length > 0).toBe(place !== PLACES[0]);
  await startChild(store, first.port);
  await deliver();
  expect((await stored()).toSorted()).toEqual(ids.toSorted());
}

test.each(PLACES)('a server over SQLite that is killed %s loses nothing and doubles nothing', async (place) => {
  const file = join(newFolder(), 'sink.sqlite');
  const sink = sqliteSink(file);
  await killedAt(place, file, async () => sink.ids('shop'));
  sink.close();
});

describe.skipIf(noMongo !== '')(`over a MongoDB server${noMongo}`, () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startMongo();
  });
  afterAll(() => peer?.stop());

  test.each(PLACES)('a server that is killed %s loses nothing and doubles nothing', async (place) => {
    const name = `kill${PLACES.indexOf(place)}`;
    const connection = await connectMongo(peer, name);
    const events = connection.getClient().db(name).collection('rez_events');
    await killedAt(place, `${peer.url}/${name}`, async () =>
      (await events.find({ project: 'shop' }).toArray()).map((row) => String(row.id)),
    );
    await connection.close();
  });
});

/** Passes requests on, and ends the connection after some bytes of the answer. */
async function cutter(url: string, bytes: () => number): Promise<{ port: number; close(): void }> {
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(url).port), '127.0.0.1');
    let left = bytes();
    client.on('error', () => server.destroy()).on('data', (chunk) => server.write(chunk));
    client.on('close', () => server.destroy());
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    server.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (left > 0) client.write(part);
      else client.end(part, () => client.destroy());
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { port: (proxy.address() as AddressInfo).port, close: () => void proxy.close() };
}

function startHere(sink: SqliteSink): Promise<string> {
  return listen(rezIngest({ keys: KEYS, sink }));
}

test('an answer that is cut after any of its bytes is the same when the client asks again', async () => {
  const sink = sqliteSink(join(newFolder(), 'sink.sqlite'), () => NOW);
  const url = await listen(rezIngest({ keys: KEYS, sink, now: () => NOW }));
  const body = gzipSync(JSON.stringify(batch('x1', [event(1), event(2), 5])));
  /** The bytes of the answer that arrive. */
  const ask = (port: number): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString();
      });
      socket.on('error', () => undefined).on('close', () => resolve(text));
      const head = `POST /v1/batch HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer ${KEY}\r\nIdempotency-Key: x1`;
      socket.write(`${head}\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
      socket.write(body);
    });
  let bytes = 1;
  const proxy = await cutter(url, () => bytes);
  const whole = (await ask(Number(new URL(url).port))).split('\r\n\r\n')[1];
  expect(JSON.parse(String(whole))).toMatchObject({ accepted: 2, rejected: [{ index: 2 }] });
  for (; ; bytes++) {
    const cut = await ask(proxy.port);
    if (cut.length < bytes) break;
  }
  expect(bytes).toBeGreaterThan(200);
  expect((await ask(Number(new URL(url).port))).split('\r\n\r\n')[1]).toBe(whole);
  expect(sink.ids('shop')).toEqual([id(1), id(2)]);
  proxy.close();
});

test('the engine sends again after answers that were cut, and each event is stored once', async () => {
  const sink = sqliteSink(join(newFolder(), 'sink.sqlite'));
  const url = await startHere(sink);
  const cuts = [0, 150, Number.POSITIVE_INFINITY];
  let requests = 0;
  const proxy = await cutter(url, () => cuts[Math.min(requests++, cuts.length - 1)] ?? 0);
  const ids = record(proxy.port, 20);
  await deliver();
  expect(requests).toBeGreaterThan(2);
  expect(sink.ids('shop')).toEqual(ids.toSorted());
  proxy.close();
});

test('a storm of 429 delays the engine and loses nothing', async () => {
  const sink = sqliteSink(join(newFolder(), 'sink.sqlite'));
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let holding = false;
  // A batch of another project holds the only place.
  const slow = functionSink(async (rows, delivery) => {
    if (delivery.project === 'other') {
      holding = true;
      await gate;
    }
    return sink.store(rows, delivery);
  });
  const handler = rezIngest({ keys: KEYS, sink: slow, concurrent: 1 });
  let storm = 0;
  const url = await listen((req, res) => {
    storm += 1;
    handler(req, res);
  });
  const port = Number(new URL(url).port);
  const held = batch('x1', [event(1, { ts: new Date().toISOString() })]);
  const holder = sendBatch(url, held, { authorization: 'Bearer wk-other' });
  await until(() => holding);
  const ids = record(port, 20);
  // On a busy machine a flush can end before its first request.
  const left = await until(async () => {
    const { destinations } = await flush(2_000);
    return storm > 1 && destinations[0]?.left;
  }, 'a second request and what is left');
  expect(left).toBeGreaterThan(0);
  expect(sink.ids('shop')).toEqual([]);
  release();
  await holder;
  await deliver();
  expect(sink.ids('shop')).toEqual(ids.toSorted());
});
