/** The app's own logger, whichever it is. The package has none: it writes its lines through the one that the app has. */
import { guarded } from '../../../react-native/src/core/guard';
import { activeTrace } from './context';
import { shared } from './shared';

/** Members of a log line. */
export type Fields = Readonly<Record<string, unknown>>;

/** What the package needs of a logger: winston's order of arguments, which is also that of the guide. */
export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

type Level = (typeof LEVELS)[number];
type Method = (...values: unknown[]) => unknown;

interface State {
  logger: Logger;
  /** Members that every line gets, beside the ids of the trace. */
  members: Set<() => Fields | undefined>;
}

const state = () => shared<State>('logger', () => ({ logger: fromConsole(), members: new Set() }));

/**
 * The logger of the app; until it has given one, the console, for warnings and errors. Never throws.
 *
 * A line inside a request or a span has `trace_id` and `span_id`, with and without OpenTelemetry: what is recorded there has the same.
 */
export const logger: Logger = each((level) => (message, fields) => {
  try {
    const { logger, members } = state();
    const all: Record<string, unknown> = {};
    for (const more of members) Object.assign(all, guarded(undefined, more));
    // A tracer of the app must not cost the line.
    const trace = guarded(undefined, activeTrace);
    if (trace !== undefined) {
      all.trace_id = trace.trace_id;
      all.span_id = trace.span_id;
    }
    // The members of the line itself count more.
    Object.assign(all, fields);
    if (Object.keys(all).length === 0) logger[level](message);
    else logger[level](message, all);
  } catch {
    // A logger that throws must not fail a request.
  }
});

/**
 * Uses the app's logger: winston, pino, the console, or an object with `info`, `warn` and `error`. A level that it lacks is left out.
 * Returns what is wrong, or an empty text.
 */
export function setLogger(given: unknown): string {
  const methods = given as Partial<Record<Level | 'bindings', Method>> | null | undefined;
  const isLogger = () => (['info', 'warn', 'error'] as const).every((level) => typeof methods?.[level] === 'function');
  if (!methods || !guarded(false, isLogger)) {
    return 'logger: not a logger: it needs the methods info, warn and error';
  }
  // Only pino has `bindings`. It takes the members first.
  const isPino = typeof methods.bindings === 'function';
  state().logger = each((level) => (message, fields) => {
    const write = methods[level];
    const values = fields === undefined ? [message] : isPino ? [fields, message] : [message, fields];
    const written = write?.apply(methods, values) as PromiseLike<unknown> | undefined;
    // The rejection of a logger that is async belongs to nobody else.
    if (typeof written?.then === 'function') written.then(undefined, () => undefined);
  });
  return '';
}

/** Adds members to every line, beside those that were added before. Returns a function that takes them back. */
export function setLogMembers(members: () => Fields | undefined): () => void {
  const { members: all } = state();
  all.add(members);
  return () => all.delete(members);
}

const said = () => shared('said', () => new Set<string>());

/** Warns once: about the installation, not about a request. */
export function warnOnce(text: string): void {
  // A text that changes with each call would fill memory.
  if (said().has(text) || said().size >= 200) return;
  said().add(text);
  logger.warn(`[rez] ${text}`);
}

function fromConsole(): Logger {
  const nothing = () => undefined;
  return {
    ...each((level) => (message, fields) => console[level](message, ...(fields ? [fields] : []))),
    debug: nothing,
    info: nothing,
  };
}

function each(make: (level: Level) => (message: string, fields?: Fields) => void): Logger {
  return Object.fromEntries(LEVELS.map((level) => [level, make(level)])) as unknown as Logger;
}
