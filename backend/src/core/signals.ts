/**
 * What drivers tell the rest of the package, over channels of `node:diagnostics_channel`: whoever watches a driver publishes, metrics and
 * rows subscribe. Two copies of the package meet in the same channels.
 */
import { channel, subscribe as subscribeTo, unsubscribe } from 'node:diagnostics_channel';
import { guarded } from '../../../react-native/src/core/guard';

/** A command of a MongoDB driver that has ended. Those that the driver sends for itself, as `hello`, are not published. */
export interface MongodbCommand {
  /** Its name on the wire: `find`, `insert`. */
  command: string;
  durationMs: number;
  failed: boolean;
  /** Whether it took longer than `slowQueryMs`. The `getMore` of a cursor that waits for news is never slow. */
  slow: boolean;
}

/** A command of a Redis client that has ended, or a transaction: `multi`. Those that the client sends for itself are not published. */
export interface RedisCommand {
  /** Its name in lower case: `get`. */
  command: string;
  durationMs: number;
  /** Whether the app got an error, and not one that the client answers itself, as `MOVED`. */
  failed: boolean;
  /** Of an error: the code of the answer, `WRONGTYPE`, or its kind. */
  errorType?: string;
  /** The number of the database. */
  database?: number;
  /** Of a command that reads a value by its key: whether the value was there. Undefined: it reads none, or it failed. */
  hit?: boolean;
}

/** The channels and what they carry. */
export interface Signals {
  'rez:mongodb.command': MongodbCommand;
  'rez:redis.command': RedisCommand;
}

/** Tells the subscribers. Costs nothing if there are none. */
export function publish<Name extends keyof Signals>(name: Name, signal: Signals[Name]): void {
  const found = channel(name);
  if (found.hasSubscribers) found.publish(signal);
}

/** Hears what is published, until the returned function is called. */
export function subscribe<Name extends keyof Signals>(name: Name, hear: (signal: Signals[Name]) => void): () => void {
  // Node.js makes an uncaught exception of what a subscriber throws.
  const listener = (signal: unknown) => guarded(undefined, () => hear(signal as Signals[Name]));
  subscribeTo(name, listener);
  return () => unsubscribe(name, listener);
}
