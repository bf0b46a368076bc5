/**
 * The engine of the process: opened once, at `init` or at the first thing that is recorded, and closed once. Only `init` opens it again.
 *
 * No function throws, and no promise is rejected: what is wrong is a line of the app's logger, and an answer.
 */
import { hostname } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import type { FlushResult, Status } from '../../../react-native/src/core/answers';
import { Client } from '../../../react-native/src/core/client';
import { guarded, isRecord } from '../../../react-native/src/core/guard';
import type { Ids } from '../../../react-native/src/core/ids';
import { toJson } from '../../../react-native/src/core/json';
import { readText } from '../../../react-native/src/core/read';
import { findEngine } from './addon';
import { followLog, tellLog } from './engine-log';
import { factsOfServer } from './facts';
import { durationOf, setLimits } from './limits';
import { logger, setLogger, warnOnce } from './logger';
import { memoryPort } from './memory';
import {
  type Destination,
  destinationsOf,
  fromEnvironment,
  type Identity,
  identityOf,
  type Options,
  readOptions,
  settingsOf,
} from './options';
import { shared } from './shared';

/** Something to end when the engine closes: it gets the time that is left. */
type Closer = (waitMs: number) => unknown;

interface State {
  /** `new`: nobody has opened the engine or closed it, and the first thing that is recorded opens it. */
  phase: 'new' | 'open' | 'closing' | 'closed';
  /** The client of the addon, or of what takes its place where there is none. */
  engine: Client;
  /** Whether there is an addon. */
  found: boolean;
  /** What is used: `engine`, or what takes its place while the folder or a setting is wrong. */
  client: Client;
  closers: Set<Closer>;
  /** The names of destinations, each with what it was told to be. */
  destinations: Map<string, string>;
  closing: Promise<void> | undefined;
  /** What `init` was told while the engine was closing. */
  waiting: Options[];
  /** What `init` was told of the service. */
  identity: Identity | undefined;
  /** What the engine was opened with. */
  settings: Readonly<Record<string, unknown>>;
  /** Ends the lines of the engine in the log. */
  endLog: () => void;
}

/** How long a call waits for the engine unless it says so, in milliseconds. */
const WAIT_MS = 5_000;

/** Why there is no engine, for those who call after `close`. */
const CLOSED_TEXT = 'the engine has been closed: call init to open it again';

const NOT_STORED = 'what is recorded is counted, and neither stored nor delivered';

function state(): State {
  return shared<State>('monitor', () => {
    const found = findEngine();
    if (found.why !== undefined) {
      warnOnce(`${found.why}: ${NOT_STORED}. Install @rez/monitor-node with its optional dependencies.`);
    }
    const engine = new Client({ port: found.port ?? memoryPort(found.why ?? '') });
    return {
      phase: 'new',
      engine,
      found: found.port !== undefined,
      client: engine,
      closers: new Set(),
      destinations: new Map(),
      closing: undefined,
      waiting: [],
      identity: undefined,
      settings: {},
      endLog: () => undefined,
    };
  });
}

/**
 * Opens the engine. Returns whether what is recorded is stored on the disk.
 *
 * Whoever calls it first decides on folder, name and release; later calls add destinations and replace the logger. Without a call the
 * engine opens at the first thing that is recorded, with what the environment says. After `close` only this function opens it again.
 * While it is closing, the answer is false, and the engine opens when it has closed: before the promise of `close` resolves.
 *
 * A wrong option is a line of the log. If the folder or a setting cannot be used, events are counted and not stored, until `close` and
 * `init` with a better one.
 */
export function init(given: Options = {}): boolean {
  if (given !== null && !isRecord(given)) warnOnce('init: the options are not an object; they are ignored');
  const options = readOptions(given);
  if (options.logger !== undefined) {
    const wrong = setLogger(options.logger);
    if (wrong !== '') warnOnce(wrong);
  }
  for (const name of guarded([], () => setLimits(options.limits ?? {}))) {
    warnOnce(`limits.${name}: not a limit, or not a number of milliseconds from 0 on; it is ignored`);
  }
  if (options.destinations !== undefined && !guarded(false, () => Array.isArray(options.destinations))) {
    warnOnce('init: destinations is not a list; it is ignored');
  }
  const known = state();
  if (known.phase === 'closing') {
    known.waiting.push(options);
    return false;
  }
  const destinations = destinationsOf(options);
  if (known.phase !== 'open') {
    known.phase = 'open';
    open(known, options);
    destinations.unshift(...fromEnvironment(process.env));
  } else sayLate(known, options);
  for (const destination of destinations) addDestination(destination);
  return isDurable();
}

/** Names of options that only the first call decides about. */
const FIRST = ['folder', 'app', 'release', 'environment'] as const;

function sayLate(known: State, options: Options): void {
  const late = FIRST.filter((name) => options[name] !== undefined && options[name] !== known.settings[name]);
  if (late.length === 0) return;
  warnOnce(
    `init: ${late.join(', ')} come too late and are ignored: something was recorded before, or init was called. Call init first`,
  );
}

function open(known: State, options: Options): void {
  const settings = settingsOf(options, process.env);
  known.identity = identityOf(options, process.env);
  known.settings = settings;
  const wrong =
    settings.folder === ''
      ? 'there is no folder for the queue, because the working directory has been removed; set REZ_FOLDER'
      : known.client.open(settings, factsOfServer());
  if (wrong !== '') withoutEngine(known, wrong);
  known.client.scope({ scope: 'tag', name: 'server_name', value: hostname() });
  for (const start of starters()) guarded(undefined, start);
  tellLog(known.client);
  known.endLog = followLog(known.client);
}

/** What begins when the engine opens. Not a part of the state above, because asking for that loads the addon. */
const starters = () => shared('starters', () => new Set<() => void>());

/** Begins something each time the engine opens. `start` calls `onClose` with what ends it. */
export function onOpen(start: () => void): void {
  starters().add(start);
}

/** Adds a destination, or replaces that of its name. Returns what is wrong, or an empty text. */
export function addDestination(destination: Destination): string {
  const known = opened();
  if (known.phase !== 'open') return CLOSED_TEXT;
  const name = readText(destination, 'name');
  const json = toJson(destination);
  if (name !== '' && known.destinations.get(name) === json) return '';
  const wrong = isRecord(destination)
    ? known.client.addDestinations({ destinations: [destination] })
    : 'not an object with the members name and kind';
  if (wrong === '') known.destinations.set(name, json);
  else warnOnce(`destination ${name || '(without a name)'}: ${wrong}`);
  tellLog(known.client);
  return wrong;
}

/** The client of the process. Opens the engine if nobody has. One that has been closed records nothing. */
export function client(): Client {
  return opened().client;
}

/** Makes ids of spans, whether the engine is open or not. */
export function ids(): Ids {
  return state().engine.ids;
}

/**
 * Ends something when the engine closes: a tracer, a timer. What the closer does before it waits comes before the end of the engine.
 * Returns a function that takes it back.
 */
export function onClose(closer: Closer): () => void {
  const { closers } = state();
  closers.add(closer);
  return () => closers.delete(closer);
}

/** Sends until nothing is left, a request fails or `waitMs` ends. After `close`: no destination, and `error`. */
export async function flush(waitMs = WAIT_MS): Promise<FlushResult> {
  const { client, phase } = opened();
  return phase === 'closed' ? { destinations: [], error: CLOSED_TEXT } : client.flush(durationOf(waitMs, WAIT_MS));
}

/** The state of the engine and of each destination, as `rezq status --json`, and in sentences. Undefined after `close`. */
export function status(): Status | undefined {
  const { client, phase } = opened();
  return phase === 'closed' ? undefined : client.status();
}

/** What became of an event, as `rezq why --json`. After `close`: `error`. */
export async function why(id: string, waitMs = WAIT_MS): Promise<Record<string, unknown>> {
  const { client, phase } = opened();
  return phase === 'closed' ? { error: CLOSED_TEXT } : client.why(id, durationOf(waitMs, WAIT_MS));
}

/** Who the service is: as `init` was told, before it as the environment says. Does not open the engine. */
export function identity(): Identity {
  return state().identity ?? identityOf({}, process.env);
}

/**
 * Whether what is recorded is stored on the disk. The engine opens its files on a thread of its own, so the first answer, that of `init`
 * too, can be true for a folder that turns out to be read-only or full: then it is false from that moment on, and the log says why.
 */
export function isDurable(): boolean {
  const { phase, found, client, engine } = state();
  if (!found || client !== engine || (phase !== 'new' && phase !== 'open')) return false;
  const { store } = (client.status()?.status ?? {}) as { store?: { state?: unknown } };
  return store?.state !== 'unavailable';
}

/**
 * Ends what was started, sends what it can within the half of `waitMs`, and closes the engine. What is left is sent after the next start,
 * and so is what is recorded meanwhile. Calls that follow get the same promise; `init` opens the engine again.
 */
export function close(waitMs = WAIT_MS): Promise<void> {
  const known = state();
  // The last call counts.
  known.waiting.length = 0;
  known.closing ??= closeAll(known, durationOf(waitMs, WAIT_MS)).finally(() => {
    known.closing = undefined;
    known.phase = 'closed';
    for (const options of known.waiting.splice(0)) init(options);
  });
  return known.closing;
}

async function closeAll(known: State, waitMs: number): Promise<void> {
  const isOpen = known.phase === 'open';
  known.phase = 'closing';
  const closers = [...known.closers];
  known.closers.clear();
  // Beside each other: a Collector that hangs must not take the time of the engine.
  const ends = closers.map((closer) => ended(closer, waitMs));
  if (isOpen) ends.push(closeEngine(known.client, waitMs));
  else known.client.switchOff();
  await Promise.all(ends);
  known.endLog();
  known.client = known.engine;
  known.destinations.clear();
}

/** Sends before it closes: the engine itself does so only at the end of a session, which a server does not have. */
async function closeEngine(client: Client, waitMs: number): Promise<void> {
  const end = performance.now() + waitMs;
  await client.flush(waitMs / 2);
  // All threads of the process have one engine: that of the main thread closes it.
  if (!isMainThread) return client.switchOff();
  await client.close(Math.max(0, end - performance.now()));
}

/** Waits for a closer, and not longer than it may take. */
async function ended(closer: Closer, waitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, waitMs);
  });
  try {
    await Promise.race([closer(waitMs), late]);
  } catch (error) {
    logger.warn('[rez] a part could not be closed', { error: String(error) });
  } finally {
    clearTimeout(timer);
  }
}

function opened(): State {
  const known = state();
  if (known.phase === 'new') init();
  return known;
}

/** The settings are wrong, or the folder cannot be used: the process works on, and says why nothing is stored. */
function withoutEngine(known: State, why: string): void {
  warnOnce(`${why}: ${NOT_STORED}`);
  const { hooks } = known.engine;
  known.engine.switchOff();
  known.client = new Client({ port: memoryPort(why) });
  known.client.hooks = hooks;
  known.client.open({});
}
