import { EventEmitter } from 'node:events';
import mongoose from 'mongoose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { watchPool } from '../src/drivers/mongodb-pool';
import { close, init, setupDatabaseMonitoring } from '../src/index';
import { newFolder } from './engine';
import { newLogger } from './logs';
import { noMongo, type Peer, startMongo } from './peers';
import { until } from './waiting';

const logger = newLogger();

afterEach(async () => {
  vi.useRealTimers();
  await mongoose.disconnect();
  await close(20_000);
});

/** Timers of minutes and hours only: the driver's own stay real. */
function fakeIntervals(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
}

describe.skipIf(noMongo !== '')(`setupDatabaseMonitoring${noMongo}`, () => {
  let peer: Peer;

  beforeAll(async () => {
    peer = await startMongo();
  });

  async function monitored(options: object = {}): Promise<() => void> {
    logger.lines.length = 0;
    init({ folder: newFolder(), logger });
    fakeIntervals();
    const end = setupDatabaseMonitoring(mongoose);
    await mongoose.connect(`mongodb://127.0.0.1:${peer.port}/shop`, options);
    return end;
  }

  test('tells the pool every minute, and ends', async () => {
    const end = await monitored({ maxPoolSize: 10 });
    await mongoose.connection.collection('orders').findOne({});
    vi.advanceTimersByTime(59_999);
    expect(logger.of('Database connection pool status')).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(logger.of('Database connection pool status')).toEqual([
      { poolSize: 10, availableConnections: 10, inUse: 0, open: expect.any(Number), waiting: 0 },
    ]);
    expect(logger.of('Low available database connections')).toEqual([]);
    vi.advanceTimersByTime(60_000);
    expect(logger.of('Database connection pool status')).toHaveLength(2);
    end();
    vi.advanceTimersByTime(600_000);
    expect(logger.of('Database connection pool status')).toHaveLength(2);
  });

  test('warns when fewer than a fifth of the connections can be taken', async () => {
    await monitored({ maxPoolSize: 1 });
    let told = false;
    mongoose.connection.getClient().on('connectionCheckedOut', () => {
      if (told) return;
      told = true;
      vi.advanceTimersByTime(60_000);
    });
    await mongoose.connection.collection('orders').findOne({});
    expect(logger.of('Low available database connections')).toEqual([
      { availableConnections: 0, poolSize: 1, address: `127.0.0.1:${peer.port}` },
    ]);
  });

  test('warns of the server that has the work, though the others of its replica set are free', () => {
    logger.lines.length = 0;
    init({ folder: newFolder(), logger });
    fakeIntervals();
    // The events of a client with three servers: a replica set is not to be had here.
    const client = Object.assign(new EventEmitter(), { options: { maxPoolSize: 5 } });
    const end = watchPool(client);
    for (const address of ['a:1', 'b:1', 'c:1']) client.emit('connectionPoolCreated', { address });
    for (let connectionId = 1; connectionId <= 5; connectionId++) {
      client.emit('connectionCheckOutStarted', { address: 'a:1' });
      client.emit('connectionCheckedOut', { address: 'a:1', connectionId });
    }
    const stop = setupDatabaseMonitoring(mongoose);
    vi.advanceTimersByTime(60_000);
    expect(logger.of('Low available database connections')).toEqual([
      { availableConnections: 0, poolSize: 5, address: 'a:1' },
    ]);
    stop();
    end();
  });

  test('tells the size of each collection every hour, and nothing of a database that is not there', async () => {
    await monitored();
    await mongoose.connection.collection('products').insertMany([{ a: 1 }, { a: 2 }, { a: 3 }]);
    vi.advanceTimersByTime(3_600_000);
    const of = () => logger.of('Collection stats').find(({ collection }) => collection === 'products');
    const stats = await until(of, 'the stats of the collection');
    expect(stats).toEqual({
      collection: 'products',
      count: 3,
      size: expect.any(Number),
      avgObjSize: expect.any(Number),
      storageSize: expect.any(Number),
      indexes: expect.any(Number),
    });
    expect(logger.of('Large collection detected')).toEqual([]);
    await mongoose.disconnect();
    logger.lines.length = 0;
    vi.advanceTimersByTime(3_600_000);
    expect(logger.of('Error tracking collection stats')).toEqual([]);
  });

  test('adds the shards of a collection up, warns above 1,000,000 documents, and one that fails stops no other', async () => {
    logger.lines.length = 0;
    init({ folder: newFolder(), logger });
    fakeIntervals();
    // What a sharded cluster answers, which is not to be had here.
    const stored: Record<string, object[]> = {
      large: [1, 2].map(() => ({ storageStats: { count: 500_001, size: 1_000_002, storageSize: 7, nindexes: 3 } })),
      edge: [{ storageStats: { count: 1_000_000, size: 0, storageSize: 0, nindexes: 1 } }],
    };
    const list = [
      { name: 'gone' },
      { name: 'large' },
      { name: 'edge' },
      { name: 'seen', type: 'view' },
      { name: 'system.profile' },
    ];
    const db = {
      listCollections: () => ({ toArray: async () => list }),
      collection: (name: string) => ({
        aggregate: () => ({ toArray: async () => stored[name] ?? Promise.reject(new Error('no such collection')) }),
      }),
    };
    const connection = Object.assign(new EventEmitter(), {
      readyState: 1,
      db,
      getClient: () => null,
      openUri: async () => null,
    });
    const stop = setupDatabaseMonitoring({ connection });
    vi.advanceTimersByTime(3_600_000);
    await until(() => logger.of('Collection stats').length === 2, 'the stats of both');
    expect(logger.of('Collection stats')[0]).toEqual({
      collection: 'large',
      count: 1_000_002,
      size: 2_000_004,
      avgObjSize: 2,
      storageSize: 14,
      indexes: 3,
    });
    expect(logger.of('Large collection detected')).toEqual([{ collection: 'large', count: 1_000_002 }]);
    expect(logger.of('Error tracking collection stats')).toEqual([
      { collection: 'gone', error: 'Error: no such collection' },
    ]);
    stop();
  });

  test('asks a database that does not answer once, however many hours it takes', async () => {
    init({ folder: newFolder(), logger });
    fakeIntervals();
    let asked = 0;
    const listCollections = () => {
      asked += 1;
      return { toArray: () => new Promise(() => undefined) };
    };
    const openUri = async () => null;
    const parts = { readyState: 1, db: { listCollections }, getClient: () => null, openUri };
    const stop = setupDatabaseMonitoring({ connection: Object.assign(new EventEmitter(), parts) });
    vi.advanceTimersByTime(5 * 3_600_000);
    expect(asked).toBe(1);
    stop();
  });

  test('ends with the engine', async () => {
    await monitored();
    await close(20_000);
    logger.lines.length = 0;
    vi.advanceTimersByTime(7_200_000);
    expect(logger.lines).toEqual([]);
  });
});

afterAll(() => mongoose.disconnect());
