/** Every body that the engine is known to send, from the contract vectors, is accepted. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KINDS, mongoSink, otlpSink, rezIngest, type Sink } from '../../src/ingest';
import { type Collector, noCollector, startCollector } from '../collector';
import { newFolder } from '../engine';
import { connectMongo, noMongo, type Peer, startMongo } from '../peers';
import { listen, NOW, post } from './server';
import { sqliteSink } from './sqlite-sink';

interface Request {
  url: string;
  headers: Record<string, string>;
  json: { events: { id: string; kind: string }[] };
}

const FOLDER = join(import.meta.dirname, '../../../tests/contract/expected/rez');
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
const requests = (file: string): Request[] =>
  Object.values(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Record<string, Request[]>).flat();

const KEYS = { 'write-key': 'shop' };

/** Sends a recorded request as it is. Each file is an app of its own: the vectors share their ids. */
async function replay(url: string, { headers, json }: Request) {
  expect(headers['Content-Encoding']).toBe('gzip');
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return post(url, new Uint8Array(gzipSync(JSON.stringify(json))), lower);
}

function acceptsEveryBody(make: () => Promise<Sink>) {
  test('accepts every body of every vector', async () => {
    expect(files.length).toBeGreaterThan(100);
    const kinds = new Set<string>();
    let sent = 0;
    const sink = await make();
    for (const file of files) {
      // A project for each file, so that no event is a duplicate.
      const handler = rezIngest({ keys: () => file, sink, now: () => NOW });
      const url = await listen(handler);
      for (const request of requests(file)) {
        const reply = await replay(url, request);
        const { length } = request.json.events;
        expect([file, reply.status, reply.json]).toMatchObject([
          file,
          200,
          { accepted: length, duplicate: 0, rejected: [] },
        ]);
        for (const { kind } of request.json.events) kinds.add(kind);
        sent += 1;
      }
    }
    expect(sent).toBeGreaterThan(100);
    expect([...kinds].toSorted()).toEqual([...KINDS].toSorted());
  });
}

describe('SQLite', () => {
  acceptsEveryBody(async () => sqliteSink(join(newFolder(), 'sink.sqlite'), () => NOW));
});

describe.skipIf(noMongo !== '')(`a MongoDB server${noMongo}`, () => {
  let peer: Peer;
  let connection: Awaited<ReturnType<typeof connectMongo>>;
  beforeAll(async () => {
    peer = await startMongo();
    connection = await connectMongo(peer, 'bodies');
  });
  afterAll(async () => {
    await connection?.close();
    await peer?.stop();
  });
  acceptsEveryBody(async () => mongoSink(connection));
});

describe.skipIf(noCollector !== '')(`a Collector${noCollector}`, () => {
  let collector: Collector;
  beforeAll(async () => {
    collector = await startCollector();
  });
  afterAll(() => collector?.stop());
  acceptsEveryBody(async () => otlpSink({ endpoint: collector.url }));
});

test('the key of the vectors is a key', async () => {
  const url = await listen(
    rezIngest({ keys: KEYS, sink: sqliteSink(join(newFolder(), 'sink.sqlite')), now: () => NOW }),
  );
  const [request] = requests('error_frames.json');
  expect((await replay(url, request as Request)).status).toBe(200);
});

test('the kinds are those of the engine', () => {
  const source = readFileSync(join(import.meta.dirname, '../../../core/src/kind.rs'), 'utf8');
  const words = [...source.matchAll(/^ {4}\w+ = \d+ "(\w+)",/gm)].map(([, word]) => word);
  expect(words).toEqual(KINDS);
});
