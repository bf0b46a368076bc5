import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Delivery,
  functionSink,
  type LostTotal,
  mongoAnswers,
  mongoSeen,
  mongoSink,
  otlpSink,
  type Row,
  rezIngest,
  type Sink,
} from '../../src/ingest';
import { attributesOf, type Collector, noCollector, startCollector } from '../collector';
import { newFolder } from '../engine';
import { connectMongo, noMongo, type Peer, startMongo } from '../peers';
import { until } from '../waiting';
import { batch, event, KEYS, listen, NOW, range, sendBatch } from './server';
import { sinkContract } from './sink-contract';
import { sqliteSink } from './sqlite-sink';

sinkContract('a function over SQLite keeps the contract', async () => {
  const file = join(newFolder(), 'sink.sqlite');
  const [one, other] = [sqliteSink(file), sqliteSink(file)];
  const { answers, lost } = one;
  const first = functionSink((rows, delivery) => one.store(rows, delivery), {
    ...(answers && { answers }),
    lost: (totals, delivery) => lost?.(totals, delivery) ?? Promise.resolve(),
  });
  return {
    instances: [first, other],
    ids: async (project) => one.ids(project),
    totals: async () => one.totals(),
    close: () => {
      one.close();
      other.close();
    },
  };
});

describe.skipIf(noMongo !== '')(`over a MongoDB server${noMongo}`, () => {
  let peer: Peer;
  let databases = 0;
  beforeAll(async () => {
    peer = await startMongo();
  });
  afterAll(() => peer?.stop());

  const two = async () => {
    databases += 1;
    const name = `contract${databases}`;
    const connections = await Promise.all([connectMongo(peer, name), connectMongo(peer, name)]);
    return { connections, close: async () => void (await Promise.all(connections.map((one) => one.close()))) };
  };

  sinkContract('mongoSink keeps the contract', async () => {
    const { connections, close } = await two();
    const [one, other] = connections;
    const db = one.getClient().db(one.name);
    return {
      // A connection of mongoose, and a database of the driver by a function.
      instances: [mongoSink(one), mongoSink(() => other.getClient().db(other.name))],
      ids: async (project) =>
        (await db.collection('rez_events').find({ project }).toArray()).map((row) => String(row.id)),
      totals: async () =>
        (await db.collection('rez_events_lost').find().sort({ epoch: 1 }).toArray()) as unknown as LostTotal[],
      close,
    };
  });

  test('an answer is kept for 24 hours and not longer', async () => {
    const { connections, close } = await two();
    let now = NOW;
    const answers = mongoAnswers(connections[0], 'answers', () => now);
    const [first, second] = [
      { ids: 'a', body: '1' },
      { ids: 'b', body: '2' },
    ];
    await answers.keep('p', 'k', first);
    now += 24 * 3600 * 1000 - 1;
    expect(await answers.find('p', 'k')).toMatchObject(first);
    now += 2;
    expect(await answers.find('p', 'k')).toBeUndefined();
    expect(await answers.keep('p', 'k', second)).toMatchObject(second);
    expect(await answers.find('p', 'k')).toMatchObject(second);
    await close();
  });

  test('two instances share one database: what comes to both at once is stored once, and each answer accounts for all', async () => {
    const { connections, close } = await two();
    const urls = await Promise.all(
      connections.map((mongo) =>
        listen((req, res) => rezIngest({ keys: KEYS, sink: mongoSink(mongo), now: () => NOW })(req, res)),
      ),
    );
    const to = (at: number) => String(urls[at % 2]);
    // The same batch to both.
    const same = await Promise.all(
      range(1, 4).map((at) =>
        sendBatch(
          to(at),
          batch(
            'x1',
            range(1, 50).map((n) => event(n)),
          ),
        ),
      ),
    );
    expect(new Set(same.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(same.map(({ text }) => text)).size).toBe(1);
    // Batches that were cut anew, with ids in common.
    const cuts = range(0, 7).map((at) =>
      batch(
        `y${at}`,
        range(40 + at * 10, 80 + at * 10).map((n) => event(n)),
      ),
    );
    const replies = await Promise.all(cuts.map((cut, at) => sendBatch(to(at), cut)));
    for (const { json } of replies) expect(json.accepted + json.duplicate + json.rejected.length).toBe(41);
    const events = connections[0].getClient().db(connections[0].name).collection('rez_events');
    const stored = await events.find({ project: 'shop' }).toArray();
    expect(stored).toHaveLength(150);
    expect(replies.reduce((sum, { json }) => sum + json.accepted, 0)).toBe(100);
    expect(stored[0]).toMatchObject({ install: 'i1', fields: { session: 's' }, received_at: new Date(NOW) });
    await close();
  });

  test('a database that goes away is 503, and what was sent meanwhile is stored when it is back', async () => {
    const { connections, close } = await two();
    const [mongo] = connections;
    let away = true;
    const sink = mongoSink(() => {
      if (away) throw new Error('connection refused');
      return mongo;
    });
    const url = await listen((req, res) => rezIngest({ keys: KEYS, sink, now: () => NOW })(req, res));
    const reply = await sendBatch(url, batch('x1', [event(1)]));
    expect([reply.status, Number(reply.headers.get('retry-after')) > 0]).toEqual([503, true]);
    away = false;
    expect((await sendBatch(url, batch('x1', [event(1)]))).json).toMatchObject({ accepted: 1, duplicate: 0 });
    await close();
  });

  describe.skipIf(noCollector !== '')(`and a Collector${noCollector}`, () => {
    sinkContract(
      'otlpSink with mongoSeen keeps the contract, but for rows that come to two instances at once',
      async () => {
        const [{ connections, close }, collector] = await Promise.all([two(), startCollector()]);
        const sink = (at: 0 | 1): Sink =>
          otlpSink({
            endpoint: collector.url,
            seen: mongoSeen(connections[at]),
            answers: mongoAnswers(connections[at]),
          });
        return {
          instances: [sink(0), sink(1)],
          ids: (project) => idsIn(collector, project),
          close: async () => {
            await collector.stop();
            await close();
          },
        };
      },
      'in turn',
      // Lost events are a metric of the Collector.
      ['answers'],
    );
  });
});

describe.skipIf(noCollector !== '')(`over a Collector${noCollector}`, () => {
  sinkContract(
    'otlpSink keeps the contract, but recognises nothing',
    async () => {
      const collector = await startCollector();
      const sink = () => otlpSink({ endpoint: `${collector.url}/v1/logs`, headers: { 'x-team': 'rez' } });
      return {
        instances: [sink(), sink()],
        ids: (project) => idsIn(collector, project),
        close: () => collector.stop(),
      };
    },
    'never',
    [],
  );

  test('lost events arrive as a cumulative metric, and a Collector that is gone is 503', async () => {
    const collector = await startCollector();
    const sink = otlpSink({ endpoint: collector.url });
    const url = await listen((req, res) => rezIngest({ keys: KEYS, sink, now: () => NOW })(req, res));
    const lost = [{ kind: 'log', reason: 'sampled', count: 7 }];
    expect((await sendBatch(url, batch('x1', [event(1)], { lost }))).status).toBe(200);
    await until(() => collector.metrics().length > 0);
    const [metric] = collector.metrics();
    expect(metric).toMatchObject({ name: 'app.queue.dropped', sum: { aggregationTemporality: 2, isMonotonic: true } });
    expect(metric.sum.dataPoints[0].asInt).toBe('7');
    await collector.stop();
    expect((await sendBatch(url, batch('x2', [event(2)]))).status).toBe(503);
  });
});

test.each([
  [404, {}, /^[1-5]$/],
  [302, { location: 'http://127.0.0.1:1/' }, /^[1-5]$/],
  [429, { 'retry-after': '77' }, /^77$/],
  [503, { 'retry-after': 'soon' }, /^[1-5]$/],
  [500, {}, /^[1-5]$/],
])('a Collector that answers %i is 503, with its Retry-After if it has one', async (status, headers, after) => {
  const endpoint = await listen((_req, res) => void res.writeHead(status, headers).end('<html>'));
  const sink = otlpSink({ endpoint });
  const url = await listen((req, res) => rezIngest({ keys: KEYS, sink, now: () => NOW })(req, res));
  const reply = await sendBatch(url, batch('x1', [event(1)]));
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, expect.stringMatching(after)]);
});

test.each([
  ['an HTML page', 200, 'text/html', '<html>'],
  ['an HTML page that is called JSON', 200, 'application/json', '<html>'],
  ['JSON that is cut', 200, 'application/json', '{"partialSuccess":'],
  ['JSON that is no object', 200, 'application/json', '[]'],
  ['JSON without a type', 200, undefined, '{}'],
  ['no message of protobuf', 200, 'application/x-protobuf', '<html>'],
  ['204', 204, undefined, ''],
  ['202', 202, 'application/json', '{}'],
])('an answer that is %s acknowledges nothing', async (_what, status, type, body) => {
  expect(
    await answeredBy((_req, res) => void res.writeHead(status, type ? { 'content-type': type } : {}).end(body)),
  ).toBe(503);
});

test.each([
  ['an empty body', {}, ''],
  ['an empty object', { 'content-type': 'application/json' }, '{}'],
  ['null for the part', { 'content-type': 'application/json' }, '{"partialSuccess":null}'],
  ['a message of protobuf', { 'content-type': 'application/x-protobuf' }, '\n\u0002\u0008\u0001'],
])('an answer of 200 with %s acknowledges', async (_what, headers, body) => {
  expect(await answeredBy((_req, res) => void res.writeHead(200, headers).end(body))).toBe(200);
});

test('an answer that does not end is not read to its end', async () => {
  let closed = false;
  const status = await answeredBy((_req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      if (!res.destroyed) res.write(' '.repeat(32 * 1024), () => setImmediate(more));
    };
    res.on('close', () => {
      closed = true;
    });
    more();
    // Nothing but the limit of its size ends it.
  }, 600_000);
  expect(status).toBe(503);
  await until(() => closed);
});

/** The status of a batch that goes to a Collector which answers so. */
async function answeredBy(answer: RequestListener, sinkMs = 10_000): Promise<number> {
  const sink = otlpSink({ endpoint: await listen(answer) });
  const url = await listen((req, res) => rezIngest({ keys: KEYS, sink, sinkMs, now: () => NOW })(req, res));
  return (await sendBatch(url, batch('x1', [event(1)]))).status;
}

test('a Collector gets the headers that it needs, and a partial success is accepted', async () => {
  const seen: unknown[] = [];
  const endpoint = await listen((req, res) => {
    seen.push(req.url, req.headers.authorization, req.headers['content-type']);
    res.setHeader('content-type', 'application/json; charset=utf-8');
    res.end('{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"no"}}');
  });
  const sink = otlpSink({ endpoint: `${endpoint}/`, headers: { Authorization: 'Bearer c' } });
  const url = await listen((req, res) => rezIngest({ keys: KEYS, sink, now: () => NOW })(req, res));
  expect((await sendBatch(url, batch('x1', [event(1)]))).json).toMatchObject({ accepted: 1 });
  expect(seen).toEqual(['/v1/logs', 'Bearer c', 'application/json']);
});

/** The ids of the records of a project, as far as they are in the file. */
async function idsIn(collector: Collector, project: string): Promise<string[]> {
  return collector
    .logs()
    .filter(({ resource }) => attributesOf(resource.attributes)['rez.project'] === project)
    .flatMap(({ scopeLogs }) => scopeLogs)
    .flatMap(({ logRecords }) => logRecords)
    .map(({ attributes }) => String(attributesOf(attributes)['rez.event_id']));
}

test('options of sinks that cannot be used are named at the start', () => {
  expect(() => mongoSink({}, { keepDays: 31 })).toThrow(/keepDays/);
  expect(() => mongoSink({}, { keepDays: Number.NaN })).toThrow(/keepDays/);
  expect(() => functionSink(undefined as never)).toThrow(/functionSink/);
  for (const endpoint of ['', 'collector:4318', 'ftp://a', 'http://user:secret@a', 'http://a/?key=secret']) {
    expect(() => otlpSink({ endpoint })).toThrow(/endpoint/);
    expect(() => otlpSink({ endpoint })).not.toThrow(/secret/);
  }
  expect(() => otlpSink({ endpoint: 'http://a', headers: { 'x-a': 'b\r\nc: d' } })).toThrow();
});

describe('mongoSink over a driver that answers as MongoDB does when it fails', () => {
  const rows = [{ project: 'shop', id: 'a', sdk: {}, resource: {}, fields: {} } as unknown as Row];
  const delivery: Delivery = {
    project: 'shop',
    batch_id: 'b',
    install: 'i',
    rejected: [],
    signal: new AbortController().signal,
  };
  const sinkOf = (insertMany: () => Promise<unknown>) =>
    mongoSink({ collection: () => ({ createIndex: async () => 'name', insertMany }) });
  const failure = (members: object) => async () => {
    throw Object.assign(new Error('bulk'), members);
  };

  test('duplicates that the majority has not confirmed are no success', async () => {
    const writeErrors = [{ code: 11000, index: 0 }];
    const confirmed = sinkOf(failure({ writeErrors, result: { getWriteConcernError: () => undefined } }));
    expect(await confirmed.store(rows, delivery)).toMatchObject({ duplicates: ['a'] });
    const uncertain = sinkOf(failure({ writeErrors, result: { getWriteConcernError: () => ({ code: 64 }) } }));
    await expect(uncertain.store(rows, delivery)).rejects.toThrow('bulk');
  });

  test('an error of the whole command, or one that may pass, is no success', async () => {
    await expect(sinkOf(failure({ code: 64 })).store(rows, delivery)).rejects.toThrow('bulk');
    await expect(sinkOf(failure({ writeErrors: [{ code: 91, index: 0 }] })).store(rows, delivery)).rejects.toThrow(
      'bulk',
    );
    await expect(sinkOf(failure({ writeErrors: [{ code: 11000, index: 9 }] })).store(rows, delivery)).rejects.toThrow(
      'bulk',
    );
  });

  test('a document that is refused in both forms is refused by name', async () => {
    const refused = await sinkOf(failure({ writeErrors: { code: 121, index: 0 } })).store(rows, delivery);
    expect(refused).toMatchObject({ duplicates: [], refused: [{ id: 'a' }] });
  });

  test('a connection that is not open yet is a failure that passes', async () => {
    await expect(mongoSink({ readyState: 0, collection() {} }).store(rows, delivery)).rejects.toThrow(/not connected/);
  });
});
