/** The guide's query monitor: slow and failed queries of MongoDB, the events of its connections, and a wrapper that measures. */
import { guarded } from '../../../react-native/src/core/guard';
import { describe } from '../../../react-native/src/core/json';
import { limits } from '../core/limits';
import { logger, warnOnce } from '../core/logger';
import { onClose } from '../core/monitor';
import { shared } from '../core/shared';
import { watchCommands } from '../drivers/mongodb';
import { watchPool } from '../drivers/mongodb-pool';
import {
  type ConnectionLike,
  connectionsOf,
  isClient,
  type MongoClientLike,
  mongooseOf,
  onClient,
} from '../drivers/mongoose';

/**
 * Logs `Slow database query` above 100 ms, `Database query failed`, and that MongoDB was connected, was disconnected or failed. Slow
 * and failed queries become rows with the trace of the request. Only the shape of a query is kept: names and operators, no value. The
 * metrics `mongodb_*` count each query, the slow ones, and the connections.
 *
 * Call it before `connect`, for each mongoose once. After `connect` it works if the connection was opened with
 * `monitorCommands: true`; else it says so once, and begins with the next `connect`. Connections of `createConnection` are watched
 * if they exist when it is called. Lines and rows end when the engine closes; the metrics go on.
 *
 * @param source mongoose, or a `MongoClient` of an app without mongoose. Default: the mongoose that the app has installed
 */
export function setupQueryMonitoring(source?: unknown): void {
  guarded(undefined, () => {
    if (isClient(source)) monitorClient(source);
    else for (const connection of connectionsOf(mongooseOf(source, CALLER))) monitorConnection(connection);
  });
}

const CALLER = 'setupQueryMonitoring';

/** What is monitored until the engine closes. */
const monitored = () => shared('query-monitor', () => ({ sources: new WeakSet<object>() })).sources;

function monitorClient(client: MongoClientLike): void {
  if (monitored().has(client)) return;
  monitored().add(client);
  client.monitorCommands = true;
  const end = watch(client);
  onClose(() => {
    monitored().delete(client);
    end();
  });
}

function monitorConnection(connection: ConnectionLike): void {
  if (monitored().has(connection)) return;
  monitored().add(connection);
  const ends = [tellEvents(connection)];
  ends.push(
    onClient(
      connection,
      (client, early) => {
        if (!early && guarded(false, () => client.options?.monitorCommands !== true)) {
          warnOnce(
            `${CALLER}: MongoDB is connected already, without monitorCommands. Queries are not measured: call it before mongoose.connect(), or pass { monitorCommands: true } to it`,
          );
        }
        ends.push(watch(client));
      },
      true,
    ),
  );
  onClose(() => {
    monitored().delete(connection);
    for (const end of ends) end();
  });
}

/** Returns what ends the lines and rows. For the metrics a client is watched as long as it lives. */
function watch(client: MongoClientLike): () => void {
  watchPool(client);
  return watchCommands(client);
}

function tellEvents(connection: ConnectionLike): () => void {
  const listeners: [string, (value?: unknown) => void][] = [
    ['connected', () => logger.info('MongoDB connected')],
    ['disconnected', () => logger.error('MongoDB disconnected')],
    // The text: loggers write an error that is a member as an empty object.
    ['error', (error) => logger.error('MongoDB connection error', { error: describe(error) })],
  ];
  for (const [name, listener] of listeners) connection.on(name, listener);
  return () => {
    for (const [name, listener] of listeners) {
      const off = () => connection.off(name, listener);
      // Mongoose looks for a listener of `error` and emits one turn later. Without a listener that would end the process.
      if (name === 'error') setImmediate(off);
      else off();
    }
  };
}

/**
 * Runs a query and returns its result. Above 500 ms it logs `Slow query execution`; a failure is logged as `Query execution failed`
 * and thrown again, the same object.
 *
 * @param queryName a fixed name, not one with values in it
 */
export async function profileQuery<T>(queryName: string, queryFn: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  const duration = () => Math.round(performance.now() - began);
  try {
    const result = await queryFn();
    if (performance.now() - began > limits().slowProfileMs) {
      logger.warn('Slow query execution', { queryName, duration: duration() });
    }
    return result;
  } catch (error) {
    logger.error('Query execution failed', { queryName, duration: duration(), error: describe(error) });
    throw error;
  }
}
