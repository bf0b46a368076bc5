import { spawnSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { inRequest } from '../src/core/context';
import { client } from '../src/core/monitor';
import { close, init, poolStatus, profileQuery, setupDatabaseMonitoring, setupQueryMonitoring } from '../src/index';
import { run } from './child';
import { newFolder, type Row, rowsOf } from './engine';
import { newLogger } from './logs';
import { noMongo, type Peer, startMongo } from './peers';
import { freePort, until } from './waiting';

const logger = newLogger();
let folder = '';

/** A limit of 0 makes each command slow: nothing here depends on how quick the machine is. */
function open(slowQueryMs = 0): void {
  folder = newFolder();
  logger.lines.length = 0;
  init({ folder, logger, limits: { slowQueryMs } });
}

afterEach(async () => {
  await mongoose.disconnect();
  await close(20_000);
});

async function rows(is: (row: Row) => boolean): Promise<Row[]> {
  expect(await client().persist(20_000)).toBe('');
  return rowsOf(folder).filter((row) => row.kind === 'span' && is(row));
}

const isNamed = (name: string) => (row: Row) => row.json.name === name;

describe.skipIf(noMongo !== '')(`with a real server${noMongo}`, () => {
  let peer: Peer;
  const url = () => `mongodb://127.0.0.1:${peer.port}/shop`;

  beforeAll(async () => {
    peer = await startMongo();
  });

  test('a slow query is logged with its shape and without a value, and is a row with the trace of the request', async () => {
    open();
    setupQueryMonitoring(mongoose);
    setupQueryMonitoring(mongoose);
    await mongoose.connect(url());
    const orders = mongoose.connection.collection('orders');
    await orders.insertOne({ user: 'asha@example.com', total: 12 });
    const trace = { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) };
    const filter = { user: 'asha@example.com', total: { $gt: 5 }, _id: { $in: [new mongoose.Types.ObjectId()] } };
    await inRequest({ trace }, () => orders.find(filter).toArray());
    const lines = logger.of('Slow database query').filter(({ method }) => method === 'find');
    expect(lines).toEqual([
      {
        collection: 'orders',
        method: 'find',
        duration: expect.any(Number),
        query: '{"filter":{"user":"string","total":{"$gt":"number"},"_id":{"$in":["objectId"]}}}',
        ...trace,
      },
    ]);
    const [row, ...others] = await rows(isNamed('find orders'));
    expect(others).toEqual([]);
    expect(row?.json).toMatchObject({
      op: 'db.query',
      status: 'ok',
      trace: { trace_id: trace.trace_id, parent: trace.span_id },
      attrs: { 'db.system.name': 'mongodb', 'db.namespace': 'shop', 'db.collection.name': 'orders' },
    });
    const said = JSON.stringify([logger.lines, await rows(() => true)]);
    expect(said).not.toContain('asha');
  });

  test('a quick query is neither a line nor a row', async () => {
    open(60_000);
    setupQueryMonitoring(mongoose);
    await mongoose.connect(url());
    await mongoose.connection.collection('orders').findOne({});
    expect(logger.of('Slow database query')).toEqual([]);
    expect(await rows(() => true)).toEqual([]);
  });

  test('a query that fails is a line and a row, and the app gets its error', async () => {
    open(60_000);
    setupQueryMonitoring(mongoose);
    await mongoose.connect(url());
    const asked = mongoose.connection.collection('orders').aggregate([{ $nothing: { user: 'asha' } }]);
    await expect(asked.toArray()).rejects.toThrow();
    expect(logger.of('Database query failed')).toEqual([
      expect.objectContaining({
        collection: 'orders',
        method: 'aggregate',
        error: expect.stringMatching(/^MongoServerError \d+$/),
      }),
    ]);
    const [row] = await rows(isNamed('aggregate orders'));
    expect(row?.json).toMatchObject({
      status: 'error',
      attrs: { 'db.query.text': '{"pipeline":[{"$nothing":{"user":"string"}}]}' },
    });
    expect(JSON.stringify([logger.lines, row])).not.toContain('asha');
  });

  test('the connection says when it is there and when it is gone', async () => {
    open();
    setupQueryMonitoring(mongoose);
    await mongoose.connect(url());
    await mongoose.disconnect();
    const said = logger.lines.map(({ level, message }) => `${level}: ${message}`);
    expect(said).toContain('info: MongoDB connected');
    expect(said).toContain('error: MongoDB disconnected');
  });

  test('after connect it measures if commands are published, and else says so once and measures from the next connect on', async () => {
    open();
    await mongoose.connect(url(), { monitorCommands: true });
    setupQueryMonitoring(mongoose);
    await mongoose.connection.collection('late').findOne({});
    expect(await rows(isNamed('find late'))).toHaveLength(1);
    await mongoose.disconnect();
    await close(20_000);

    open();
    await mongoose.connect(url());
    setupQueryMonitoring(mongoose);
    await mongoose.connection.collection('late').findOne({});
    expect(await rows(isNamed('find late'))).toEqual([]);
    expect(logger.lines.filter(({ message }) => message.includes('without monitorCommands'))).toHaveLength(1);
    await mongoose.disconnect();
    await mongoose.connect(url());
    await mongoose.connection.collection('late').findOne({});
    expect(await rows(isNamed('find late'))).toHaveLength(1);
  });

  test('what the driver asks for itself is no query, and neither is the time that a cursor waits for news', async () => {
    open();
    setupQueryMonitoring(mongoose);
    await mongoose.connect(url());
    await mongoose.connection.db?.admin().ping();
    expect(await rows(() => true)).toEqual([]);
    await mongoose.connection.createCollection('news', { capped: true, size: 4_096 });
    const news = mongoose.connection.collection('news');
    await news.insertOne({ a: 1 });
    const cursor = news.find({}, { tailable: true, awaitData: true, maxAwaitTimeMS: 20, batchSize: 1 });
    await cursor.next();
    expect(await cursor.tryNext()).toBeNull();
    await cursor.close();
    expect((await rows(isNamed('find news'))).length).toBe(1);
    expect(await rows(isNamed('getMore news'))).toEqual([]);
  });

  test('without an argument it is the mongoose of the app', async () => {
    open();
    setupQueryMonitoring();
    await mongoose.connect(url());
    await mongoose.connection.collection('orders').findOne({});
    expect(await rows(isNamed('find orders'))).toHaveLength(1);
  });

  test('a duplicate key is an answer to the app, and no query that failed', async () => {
    open(60_000);
    setupQueryMonitoring(mongoose);
    await mongoose.connect(url());
    const people = mongoose.connection.collection<{ _id: number }>('people');
    await people.insertOne({ _id: 1 });
    await expect(people.insertOne({ _id: 1 })).rejects.toMatchObject({ code: 11000 });
    expect(logger.of('Database query failed')).toEqual([]);
    expect(await rows(() => true)).toEqual([]);
  });

  test('an app that wants no events of its commands decides', async () => {
    open();
    setupQueryMonitoring(mongoose);
    await mongoose.connect(url(), { monitorCommands: false });
    await mongoose.connection.collection('orders').findOne({});
    expect(logger.of('Slow database query')).toEqual([]);
  });

  test('the pool is counted: what is in use, and what can be taken', async () => {
    open(60_000);
    const end = setupDatabaseMonitoring(mongoose);
    expect(setupDatabaseMonitoring(mongoose)).toBe(end);
    await mongoose.connect(url(), { maxPoolSize: 4 });
    const inUse: number[] = [];
    mongoose.connection.getClient().on('connectionCheckedOut', () => inUse.push(poolStatus().inUse));
    const asked = Array.from({ length: 8 }, () => mongoose.connection.collection('orders').findOne({}));
    await Promise.all(asked);
    expect(Math.max(...inUse)).toBeGreaterThan(0);
    expect(Math.max(...inUse)).toBeLessThanOrEqual(4);
    const now = poolStatus();
    expect(now).toMatchObject({ poolSize: 4, availableConnections: 4, inUse: 0, waiting: 0 });
    expect(now.open).toBeGreaterThan(0);
    await mongoose.disconnect();
    expect(poolStatus()).toMatchObject({ open: 0, inUse: 0 });
    end();
    expect(poolStatus().poolSize).toBe(0);
  });

  test('a server that goes away in a query is a failed query, a line of the connection, and no error that nobody handles', async () => {
    const mortal = await startMongo();
    open(60_000);
    setupQueryMonitoring(mongoose);
    await mongoose.connect(`mongodb://127.0.0.1:${mortal.port}/shop`, { serverSelectionTimeoutMS: 500 });
    const orders = mongoose.connection.collection('orders');
    await orders.insertOne({ a: 1 });
    // It has the query, and answers nothing any more.
    mortal.process.kill('SIGSTOP');
    const asked = orders.findOne({ a: 1 }, { timeoutMS: 45_000 });
    const failed = expect(asked).rejects.toThrow();
    mortal.process.kill('SIGKILL');
    await failed;
    await until(async () => (await rows(isNamed('find orders'))).length > 0, 'the row of the query');
    const [row] = await rows(isNamed('find orders'));
    expect(row?.json).toMatchObject({ status: 'error', attrs: { 'error.type': expect.stringContaining('Network') } });
    expect(logger.of('Database query failed').length).toBeGreaterThan(0);
    await until(() => logger.of('MongoDB disconnected').length > 0, 'the line of the connection');
  });
});

describe('profileQuery', () => {
  beforeEach(() => init({ folder: newFolder(), logger, limits: { slowProfileMs: 500 } }));

  test('passes the result on, and says nothing of a quick query', async () => {
    logger.lines.length = 0;
    expect(await profileQuery('orders.open', async () => 7)).toBe(7);
    expect(await profileQuery('orders.open', () => 8)).toBe(8);
    expect(logger.lines).toEqual([]);
  });

  test('warns of a query above its limit', async () => {
    init({ limits: { slowProfileMs: 0 } });
    logger.lines.length = 0;
    await profileQuery('orders.open', () => new Promise((resolve) => setTimeout(resolve, 5)));
    expect(logger.of('Slow query execution')).toEqual([{ queryName: 'orders.open', duration: expect.any(Number) }]);
  });

  test.each([[new Error('no')], ['text'], [null], [undefined]])('logs %s and throws the same again', async (thrown) => {
    logger.lines.length = 0;
    const failing = () => {
      throw thrown;
    };
    const caught = await profileQuery('orders.open', failing).then(
      () => 'nothing',
      (error: unknown) => error,
    );
    expect(caught).toBe(thrown);
    expect(logger.of('Query execution failed')).toEqual([
      { queryName: 'orders.open', duration: expect.any(Number), error: expect.any(String) },
    ]);
  });
});

test('an app without mongoose reads one sentence', () => {
  const folder = newFolder();
  cpSync(join(import.meta.dirname, '../lib'), join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'lib/package.json'), '{"type":"module"}');
  const script = `
    const { setupQueryMonitoring } = await import('./lib/index.js');
    setupQueryMonitoring();
    setupQueryMonitoring();`;
  const options = { cwd: folder, encoding: 'utf8' } as const;
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], options);
  expect(ended.status).toBe(0);
  expect(ended.stderr.match(/mongoose is not installed: setupQueryMonitoring watches nothing/g)).toHaveLength(1);
});

test('close, while mongoose is about to tell that it cannot connect, is no uncaught exception', async () => {
  // Mongoose looks for a listener of `error`, and emits one turn later: the handler of the rejection runs in between.
  const script = `
    const { default: mongoose } = await import('mongoose');
    rez.setupQueryMonitoring(mongoose);
    const url = 'mongodb://127.0.0.1:${await freePort()}/shop';
    await mongoose.connect(url, { serverSelectionTimeoutMS: 50 }).catch(() => rez.close());
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    console.log('alive, listeners:', mongoose.connection.listenerCount('error'));`;
  const { by, stdout, stderr } = await run(script, { REZ_FOLDER: newFolder() }, join(import.meta.dirname, '..'));
  expect(stderr).not.toContain('Unhandled');
  expect([by, stdout]).toEqual([0, 'alive, listeners: 0\n']);
});

test('what is no mongoose is a sentence for each of the two', () => {
  logger.lines.length = 0;
  init({ folder: newFolder(), logger });
  const throwing = {
    get connection() {
      throw new Error('no');
    },
  };
  for (const given of [{}, 7, 'x', throwing, { on: 7, db: () => undefined }]) {
    expect(() => setupQueryMonitoring(given)).not.toThrow();
    expect(() => setupDatabaseMonitoring(given)()).not.toThrow();
  }
  expect(logger.lines.filter(({ message }) => message.includes('is not mongoose'))).toHaveLength(2);
});

afterAll(() => mongoose.disconnect());
