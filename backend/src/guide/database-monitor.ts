/** The guide's database monitor: the pool of connections every minute, and the size of each collection every hour. */
import { guarded } from '../../../react-native/src/core/guard';
import { describe } from '../../../react-native/src/core/json';
import { logger } from '../core/logger';
import { onClose } from '../core/monitor';
import { shared } from '../core/shared';
import { poolStatus, poolsByServer, watchPool } from '../drivers/mongodb-pool';
import { type ConnectionLike, connectionsOf, type MongooseLike, mongooseOf, onClient } from '../drivers/mongoose';

/** Both from the guide. */
const POOL_INTERVAL_MS = 60_000;
const COLLECTIONS_INTERVAL_MS = 3_600_000;

/** A smaller share of the connections that can be taken is warned of. From the guide. */
const LOW_SHARE = 0.2;

/** A collection with more documents is warned of. From the guide. */
const LARGE_COLLECTION = 1_000_000;

/** What is used of a database of the driver. */
interface Database {
  listCollections(filter?: object, options?: object): { toArray(): Promise<{ name: string; type?: string }[]> };
  collection(name: string): {
    aggregate(pipeline: object[]): { toArray(): Promise<{ storageStats?: StorageStats }[]> };
  };
}

interface StorageStats {
  count?: number;
  size?: number;
  storageSize?: number;
  nindexes?: number;
}

/**
 * Logs `Database connection pool status` every minute, with a warning when fewer than 20 % of the connections to a server can be
 * taken, and `Collection stats` every hour, with a warning above 1,000,000 documents.
 *
 * Call it before `connect`: connections that were open before are counted from their first use on. It keeps no process alive and
 * ends when the engine closes.
 *
 * @param mongoose default: the one that the app has installed
 * @returns a function that ends it
 */
export function setupDatabaseMonitoring(mongoose?: unknown): () => void {
  return guarded(
    () => undefined,
    () => {
      const found = mongooseOf(mongoose, 'setupDatabaseMonitoring');
      return found ? started(found) : () => undefined;
    },
  );
}

function started(mongoose: MongooseLike): () => void {
  const running = shared('database-monitor', () => ({ ends: new Map<MongooseLike, () => void>() })).ends;
  const known = running.get(mongoose);
  if (known) return known;
  const ends: (() => void)[] = [];
  for (const connection of connectionsOf(mongoose)) {
    ends.push(onClient(connection, (client) => ends.push(watchPool(client))));
  }
  const pool = setInterval(tellPool, POOL_INTERVAL_MS).unref();
  let busy = false;
  const collections = setInterval(async () => {
    // A server that is slow is not asked twice at once.
    if (busy) return;
    busy = true;
    for (const connection of connectionsOf(mongoose)) await tellCollections(connection);
    busy = false;
  }, COLLECTIONS_INTERVAL_MS).unref();
  const end = () => {
    clearInterval(pool);
    clearInterval(collections);
    for (const one of ends) one();
    running.delete(mongoose);
    forget();
  };
  const forget = onClose(end);
  running.set(mongoose, end);
  return end;
}

function tellPool(): void {
  logger.info('Database connection pool status', { ...poolStatus() });
  // Each on its own: of a replica set one server has all the work, and the pools of the others are free.
  for (const { address, availableConnections, poolSize } of poolsByServer()) {
    if (availableConnections >= poolSize * LOW_SHARE) continue;
    logger.warn('Low available database connections', { availableConnections, poolSize, address });
  }
}

/** Logs the size of each collection. Never throws. */
async function tellCollections(connection: ConnectionLike): Promise<void> {
  // Mongoose would keep the question until there is a connection.
  if (connection.readyState !== 1) return;
  const failed = (error: unknown, fields = {}) =>
    logger.error('Error tracking collection stats', { ...fields, error: describe(error) });
  try {
    const db = connection.db as Database;
    for (const { name, type } of await db.listCollections({}, { nameOnly: true }).toArray()) {
      // A view stores nothing.
      if (type === 'view' || name.startsWith('system.')) continue;
      // A collection that was dropped meanwhile must not end the round.
      await tellCollection(db, name).catch((error: unknown) => failed(error, { collection: name }));
    }
  } catch (error) {
    failed(error);
  }
}

async function tellCollection(db: Database, name: string): Promise<void> {
  // One answer for each shard.
  const answers = await db
    .collection(name)
    .aggregate([{ $collStats: { storageStats: {} } }])
    .toArray();
  const shards = answers.map(({ storageStats }) => storageStats ?? {});
  const sum = (member: 'count' | 'size' | 'storageSize') => shards.reduce((all, one) => all + (one[member] ?? 0), 0);
  const count = sum('count');
  const size = sum('size');
  logger.info('Collection stats', {
    collection: name,
    count,
    size,
    avgObjSize: count === 0 ? 0 : Math.round(size / count),
    storageSize: sum('storageSize'),
    indexes: Math.max(0, ...shards.map(({ nindexes }) => nindexes ?? 0)),
  });
  if (count > LARGE_COLLECTION) logger.warn('Large collection detected', { collection: name, count });
}
