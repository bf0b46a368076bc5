/** Commands to MongoDB, from the driver's own command monitoring: each is published, and those that failed or were slow are rows. */
import { guarded } from '../../../react-native/src/core/guard';
import type { Trace } from '../../../react-native/src/core/items';
import { activeTrace, inRequest, type RequestContext, requestContext } from '../core/context';
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
  /** The request that sent it. */
  context: RequestContext | undefined;
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

/** What became of a command. */
interface Outcome {
  durationMs: number;
  /** Whether it took longer than `slowQueryMs`, and not because it waits for news. */
  slow: boolean;
  failure?: unknown;
}

/** A client whose commands are heard. */
interface Heard {
  /** Whether the log and the queue are told, too. */
  told: boolean;
}

/**
 * Publishes the commands of a client as `rez:mongodb.command` as long as the client lives, each once whoever calls this, and logs and
 * records those that failed or were slow. Returns what ends the lines and the rows.
 */
export function watchCommands(client: MongoClientLike): () => void {
  const { clients } = shared('mongodb.commands', () => ({ clients: new WeakMap<MongoClientLike, Heard>() }));
  let heard = clients.get(client);
  if (!heard) {
    heard = { told: true };
    clients.set(client, heard);
    hearCommands(client, heard);
  }
  const known = heard;
  known.told = true;
  return () => {
    known.told = false;
  };
}

function hearCommands(client: MongoClientLike, heard: Heard): void {
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
      const [parent, context] = [activeTrace(), requestContext()];
      const began = performance.now();
      running.set(requestId, { requestId, commandName, databaseName, command, began, parent, context });
    },
    commandSucceeded(event: Succeeded) {
      const one = taken(event);
      const asked = one?.commandName === 'getMore' && waiting.size > 0 ? String(one.command.getMore) : '';
      const isWaiting = waiting.has(asked);
      if (isWaiting && cursorOf(event.reply) === NO_CURSOR) waiting.delete(asked);
      if (one && waits(one.command)) remember(cursorOf(event.reply));
      ended(event, one, isWaiting, {});
    },
    commandFailed(event: Failed) {
      const one = taken(event);
      // Whatever it failed with, the driver does not go on with that cursor.
      const isWaiting = one?.commandName === 'getMore' && waiting.delete(String(one.command.getMore));
      ended(event, one, isWaiting, { failure: event.failure });
    },
  };

  function ended(event: Ended, one: Running | undefined, isWaiting: boolean, failed: { failure?: unknown }): void {
    if (isOwn(event.commandName)) return;
    // Of a command that began before it was watched, the driver knows the time.
    const durationMs = one ? performance.now() - one.began : event.duration;
    const slow = durationMs > limits().slowQueryMs && !isWaiting;
    publish('rez:mongodb.command', { command: event.commandName, durationMs, failed: 'failure' in failed, slow });
    if (one && heard.told) inRequest(one.context, () => tell(one, { durationMs, slow, ...failed }));
  }

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

  function taken({ requestId }: Ended): Running | undefined {
    const one = running.get(requestId);
    running.delete(requestId);
    return one;
  }

  for (const [name, listen] of Object.entries(listeners)) {
    client.on(name, (event: unknown) => guarded(undefined, () => listen(event as never)));
  }
}

function tell(one: Running, outcome: Outcome): void {
  if ('failure' in outcome) tellFailed(one, outcome.durationMs, outcome.failure);
  else if (outcome.slow) tellSlow(one, outcome.durationMs);
}

function tellSlow(one: Running, durationMs: number): void {
  const query = shapeOf(one.command);
  logger.warn('Slow database query', { ...about(one), duration: Math.round(durationMs), query });
  recordQuery(one, durationMs, query);
}

function tellFailed(one: Running, durationMs: number, failure: unknown): void {
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
