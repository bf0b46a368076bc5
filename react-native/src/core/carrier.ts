/**
 * One state for the whole app.
 *
 * The package is built twice (CommonJS and ES), and an app can bundle two copies: they meet in a symbol of the global object.
 */

import type { Port } from '../native/port';
import find from '../specs/NativeRezMonitor';
import { Client } from './client';
import type { Trace, User } from './items';

interface Carrier {
  client: Client;
  /** Undoes what `init` has installed, the last first. */
  undo: (() => void)[];
  /** The span of the screen that loads. */
  screen: Trace | undefined;
  /** What `init` was asked to observe. */
  settings: Readonly<Record<string, unknown>>;
  /** What happens once per process and has happened. */
  marks: Set<string>;
  /** Whom the app has named last. */
  user: User | undefined;
  /** Whether HTTP calls are recorded without a call of the app. */
  recordsNetwork: boolean;
  /** What other parts of the package keep, by their names. */
  kept: Record<string, object>;
}

const KEY = Symbol.for('app.rez.monitor');

/** The state of the app, made at the first call. */
export function carrier(): Carrier {
  const all = globalThis as { [KEY]?: Carrier };
  let known = all[KEY];
  if (known === undefined) {
    const client = new Client({ port: find as Port | null });
    known = {
      client,
      undo: [],
      screen: undefined,
      settings: {},
      marks: new Set(),
      user: undefined,
      recordsNetwork: false,
      kept: {},
    };
    all[KEY] = known;
  }
  return known;
}

/** The client of the app. */
export function client(): Client {
  return carrier().client;
}

/** What a part of the package keeps, made at the first call. */
export function shared<T extends object>(name: string, make: () => T): T {
  const { kept } = carrier();
  kept[name] ??= make();
  return kept[name] as T;
}

/** Puts another client in its place: tests, and hosts without React Native. */
export function setClient(client: Client): void {
  carrier().client = client;
}
