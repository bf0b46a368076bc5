/** Commands to MongoDB, from the driver's own command monitoring: each is published, and those that failed or were slow are rows. */
import { guarded } from '../../../react-native/src/core/guard';
import type { Trace } from '../../../react-native/src/core/items';
import { activeTrace } from '../core/context';
import { limits } from '../core/limits';
import { logger } from '../core/logger';
import { shared } from '../core/shared';
import { publish } from '../core/signals';
import { errorKind, recordSpan } from '../core/span';
import { shapeOf } from './mongodb-shape';
import type { MongoClientLike } from './mongoose';

type Command = Readonly<Record<string, unknown>>;

/** What the driver publishes. */
interface Started {
  requestId: number;
  commandName: string;
  databaseName: string;
  command: Command;
}

interface Ended {
  requestId: number;
  commandName: string;
  /** In milliseconds. */
  duration: number;
}

interface Succeeded extends Ended {
  reply: unknown;
}

interface Failed extends Ended {
  failure: unknown;
}

interface Running extends Started {
  began: number;
  parent: Trace | undefined;
}

/** Commands of the driver itself: it tells of their failures in events of its own. */
const OWN = new Set([
  'hello',
  'ismaster',
  'ping',
  'saslstart',
  'saslcontinue',
  'authenticate',
  'endsessions',
  'killcursors',
  'buildinfo',
]);

const isOwn = (commandName: string) => OWN.has(commandName.toLowerCase());

/** Commands that run at once, and cursors that are remembered. */
const MOST = 10_000;

/** Publishes the commands of a client as `rez:mongodb.command` as long as the client lives, each once whoever calls this. */
export function publishCommands(client: MongoClientLike): void {
  const { published } = shared('mongodb.commands', () => ({ published: new WeakSet<MongoClientLike>() }));
  if (published.has(client)) return;
  published.add(client);
  const told = (failed: boolean) => (event: Ended) => {
    const { commandName: command, duration: durationMs } = event;
    if (!isOwn(command)) publish('rez:mongodb.command', { command, durationMs, failed });
  };
  client.on('commandSucceeded', told(false));
  client.on('commandFailed', told(true));
}

/** Logs and records the commands of a client that failed or were slow. Returns what ends it. */
export function watchCommands(client: MongoClientLike): () => void {
  const running = new Map<number, Running>();
  /** Cursors on which the server waits for news, with each `getMore`. */
  const waiting = new Set<string>();

  const listeners: Readonly<Record<string, (event: never) => void>> = {
    commandStarted(event: Started) {
      forgetKilled(event);
      if (isOwn(event.commandName)) return;
      // Commands that never end keep no other one from being measured.
      makeRoom(running);
      const { requestId, commandName, databaseName, command } = event;
      const parent = activeTrace();
      running.set(requestId, { requestId, commandName, databaseName, command, began: performance.now(), parent });
    },
    commandSucceeded({ requestId, reply }: Succeeded) {
      const one = taken(requestId);
      if (!one) return;
      const isLate = performance.now() - one.began > limits().slowQueryMs;
      const asked = one.commandName === 'getMore' && waiting.size > 0 ? String(one.command.getMore) : '';
      const isWaiting = waiting.has(asked);
      if (isWaiting && cursorOf(reply) === NO_CURSOR) waiting.delete(asked);
      if (waits(one.command)) remember(cursorOf(reply));
      if (isLate && !isWaiting) tellSlow(one);
    },
    commandFailed({ requestId, failure }: Failed) {
      const one = taken(requestId);
      if (!one) return;
      // Whatever it failed with, the driver does not go on with that cursor.
      if (one.commandName === 'getMore') waiting.delete(String(one.command.getMore));
      tellFailed(one, failure);
    },
  };

  function remember(cursor: string): void {
    if (cursor === NO_CURSOR) return;
    makeRoom(waiting);
    waiting.add(cursor);
  }

  /** The driver closes a cursor that the app has closed. */
  function forgetKilled({ commandName, command }: Started): void {
    if (commandName !== 'killCursors' || !Array.isArray(command.cursors)) return;
    for (const cursor of command.cursors) waiting.delete(String(cursor));
  }

  function taken(requestId: number): Running | undefined {
    const one = running.get(requestId);
    running.delete(requestId);
    return one;
  }

  const ends = Object.entries(listeners).map(([name, listen]) => {
    const listener = (event: unknown) => guarded(undefined, () => listen(event as never));
    client.on(name, listener);
    return () => client.off(name, listener);
  });
  return () => {
    for (const end of ends) end();
  };
}

function tellSlow(one: Running): void {
  const durationMs = performance.now() - one.began;
  const query = shapeOf(one.command);
  logger.warn('Slow database query', { ...about(one), duration: Math.round(durationMs), query });
  recordQuery(one, durationMs, query);
}

function tellFailed(one: Running, failure: unknown): void {
  const durationMs = performance.now() - one.began;
  const query = shapeOf(one.command);
  // The message of the server holds values: that of a duplicate key holds the key.
  const error = errorKind(failure);
  logger.error('Database query failed', { ...about(one), duration: Math.round(durationMs), query, error });
  recordQuery(one, durationMs, query, error);
}

function recordQuery(one: Running, durationMs: number, query: string, error?: string): void {
  const { collection, method } = about(one);
  recordSpan({
    name: collection === '' ? method : `${method} ${collection}`,
    op: 'db.query',
    durationMs,
    failed: error !== undefined,
    parent: one.parent,
    attrs: {
      'db.system.name': 'mongodb',
      'db.namespace': one.databaseName,
      'db.operation.name': method,
      ...(collection !== '' && { 'db.collection.name': collection }),
      'db.query.text': query,
      ...(error !== undefined && { 'error.type': error }),
    },
  });
}

function about({ command, commandName }: Started): { collection: string; method: string } {
  const named = commandName === 'getMore' ? command.collection : command[commandName];
  return { collection: typeof named === 'string' ? named : '', method: commandName };
}

/** Whether the cursor of a command waits for news: a change stream, or the tail of a capped collection. */
function waits({ tailable, pipeline }: Command): boolean {
  const [first] = Array.isArray(pipeline) ? pipeline : [];
  return tailable === true || (typeof first === 'object' && first !== null && '$changeStream' in first);
}

/** The id of a cursor that has no more results, as text. */
const NO_CURSOR = '0';

function cursorOf(reply: unknown): string {
  return String((reply as { cursor?: { id?: unknown } } | undefined)?.cursor?.id ?? NO_CURSOR);
}

/** Drops the oldest of what is remembered, if it is full. */
function makeRoom(all: Map<number, unknown> | Set<string>): void {
  const [oldest] = all.size >= MOST ? all.keys() : [];
  if (oldest !== undefined) (all as Set<unknown>).delete(oldest);
}
