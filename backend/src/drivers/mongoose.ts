/** The clients of MongoDB behind mongoose, each as soon as there is one. */
import type { EventEmitter } from 'node:events';
import { guarded } from '../../../react-native/src/core/guard';
import { read } from '../../../react-native/src/core/read';
import { warnOnce } from '../core/logger';
import { loadPeer } from '../core/peer';
import { shared } from '../core/shared';

/** What is used of a `MongoClient` of the driver. */
export interface MongoClientLike extends EventEmitter {
  options?: { maxPoolSize?: number; monitorCommands?: boolean };
  /** Whether the connections that it opens from now on publish their commands. */
  monitorCommands?: boolean;
}

/** What is used of a connection of mongoose. */
export interface ConnectionLike extends EventEmitter {
  readyState: number;
  db?: unknown;
  getClient(): unknown;
  openUri(uri: string, options?: object): Promise<unknown>;
}

/** What is used of mongoose. */
export interface MongooseLike {
  connection: ConnectionLike;
  connections?: readonly ConnectionLike[];
}

/** Sees a client. `early`: nothing is connected yet, and the client publishes the events of its commands. */
export type OnClient = (client: MongoClientLike, early: boolean) => void;

interface Watched {
  /** What wants to see each client of a connection, and whether it wants its commands. */
  listeners: Map<OnClient, boolean>;
}

const watched = () => shared('mongoose', () => ({ connections: new WeakMap<ConnectionLike, Watched>() })).connections;

/** The mongoose that was passed, else that of the app. Undefined, with a sentence in the log, if there is none. */
export function mongooseOf(given: unknown, caller: string): MongooseLike | undefined {
  const found = given ?? loadPeer<unknown>('mongoose', `${caller} watches nothing`);
  // An app that is bundled may pass the namespace.
  const candidates = [found, read(found, 'default')];
  const mongoose = candidates.find((one): one is MongooseLike =>
    guarded(false, () => typeof (one as MongooseLike).connection.getClient === 'function'),
  );
  if (!mongoose && found !== undefined) warnOnce(`${caller}: what was passed is not mongoose; nothing is watched`);
  return mongoose;
}

/** Whether a value is a `MongoClient` of the driver. */
export function isClient(value: unknown): value is MongoClientLike {
  return typeof read(value, 'on') === 'function' && typeof read(value, 'db') === 'function';
}

/** The connections that a mongoose has. None without one. */
export function connectionsOf(mongoose: MongooseLike | undefined): readonly ConnectionLike[] {
  return mongoose === undefined ? [] : (mongoose.connections ?? [mongoose.connection]);
}

/**
 * Calls `listener` with the client that a connection has, and with each that it gets later. Returns what ends it.
 *
 * Events of commands are published only by a client that was made with `monitorCommands`, and mongoose has no setting for all
 * connections. So the connection's own `openUri`, which `connect` calls, gets one more option; an app that sets it itself decides.
 *
 * @param commands whether the listener wants those events
 */
export function onClient(connection: ConnectionLike, listener: OnClient, commands = false): () => void {
  const { listeners } = watch(connection);
  listeners.set(listener, commands);
  const client = connection.getClient() as MongoClientLike | null | undefined;
  // After `disconnect` it is the client that has been closed.
  if (client && connection.readyState !== 0) listener(client, false);
  return () => listeners.delete(listener);
}

function watch(connection: ConnectionLike): Watched {
  const known = watched().get(connection);
  if (known) return known;
  const fresh: Watched = { listeners: new Map() };
  watched().set(connection, fresh);
  const open = connection.openUri;
  connection.openUri = function (this: ConnectionLike, uri, options) {
    if (fresh.listeners.size === 0) return open.call(this, uri, options);
    const before = this.getClient();
    const wanted = [...fresh.listeners.values()].includes(true);
    const opening = open.call(this, uri, wanted ? { monitorCommands: true, ...options } : options);
    // The client is there, and its first connection is not: no event is missed.
    guarded(undefined, () => {
      const client = this.getClient() as MongoClientLike | null | undefined;
      if (client && client !== before) for (const [listener] of fresh.listeners) listener(client, true);
    });
    return opening;
  };
  return fresh;
}
