/**
 * The end of a server without a request that is cut: `/ready` says no, the balancer leaves, the server closes, the queue is sent.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { constants } from 'node:os';
import { guarded, recordOf } from '../../../react-native/src/core/guard';
import { read } from '../../../react-native/src/core/read';
import { durationOf } from './limits';
import { logger, warnOnce } from './logger';
import { close } from './monitor';
import { shared } from './shared';

/** Every member is optional. */
export interface ShutdownOptions {
  /**
   * How long the server still accepts connections after the signal, in milliseconds. Default: 0. Behind a balancer: more than the
   * interval of its probes times the failures after which it leaves an instance.
   */
  readyDelayMs?: number;
  /**
   * After how many milliseconds from the signal the process ends at the latest. Default: 25,000, because Kubernetes kills after 30 s.
   * Docker kills after 10 s: use 8,000 there.
   */
  limitMs?: number;
  /** Default: `['SIGTERM']`. */
  signals?: readonly NodeJS.Signals[];
}

/** Kubernetes kills after 30 s. */
const LIMIT_MS = 25_000;

/** What is kept for the engine when requests take longer, in milliseconds: half of it for the delivery of the queue. */
const ENGINE_MS = 2_000;

interface State {
  begun: boolean;
  /** Servers that have been told to end and have not ended. The engine closes after the last of them. */
  ending: number;
}

const state = () => shared<State>('shutdown', () => ({ begun: false, ending: 0 }));

/** Whether the process has been told to end: `/ready` answers 503 then. */
export function isShuttingDown(): boolean {
  return state().begun;
}

/**
 * Ends the process in order when it gets a signal.
 *
 * 1. `/ready` answers 503 and each answer says `Connection: close`, so that clients open new connections elsewhere.
 * 2. After `readyDelayMs` the server accepts no connection any more, and closes each that is idle. Requests that it has are answered.
 * 3. The engine closes, after the last server of the process: it sends what it can in half of the time that is left. The last two seconds
 *    of `limitMs` are kept for it. What is left is sent after the next start.
 * 4. The process ends by the signal, as it would without a listener. If the app listens for the signal too, the app decides.
 *
 * A second signal ends the process at once. Returns a function that takes all of this back.
 */
export function gracefulShutdown(server: Server | HttpsServer, options: ShutdownOptions = {}): () => void {
  const closable = isServer(server) ? server : undefined;
  if (!closable) {
    warnOnce(
      'gracefulShutdown: not a server of node:http or node:https: pass what app.listen() returns. At a signal the engine closes, and requests are cut.',
    );
  }
  const given = recordOf(options);
  const readyDelayMs = durationOf(given.readyDelayMs, 0);
  const limitMs = durationOf(given.limitMs, LIMIT_MS);
  const signals = signalsOf(given.signals);
  const answers = closable && watchAnswers(closable);
  let begun = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (begun) return endNow(signal);
    begun = true;
    state().begun = true;
    state().ending += 1;
    const end = performance.now() + limitMs;
    void shutDown(closable, answers, readyDelayMs, end).then(() => endBy(signal));
  };
  const endBy = (signal: NodeJS.Signals) => {
    takeBack();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const endNow = (signal: NodeJS.Signals) => {
    takeBack();
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    else process.exit(128 + (constants.signals[signal] ?? 0));
  };
  const takeBack = () => {
    for (const signal of signals) process.off(signal, onSignal);
    answers?.end();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return takeBack;
}

function isServer(server: unknown): boolean {
  // A server of HTTP/2 has no idle connections to close.
  return ['prependListener', 'close', 'closeIdleConnections'].every((name) => typeof read(server, name) === 'function');
}

function signalsOf(given: unknown): readonly NodeJS.Signals[] {
  if (Array.isArray(given)) return given;
  if (given != null) warnOnce('gracefulShutdown: signals is not a list; SIGTERM is used');
  return ['SIGTERM'];
}

/** Never rejects. */
async function shutDown(
  server: Server | HttpsServer | undefined,
  answers: Answers | undefined,
  readyDelayMs: number,
  end: number,
): Promise<void> {
  const left = () => Math.max(0, end - performance.now());
  answers?.last();
  await wait(Math.min(readyDelayMs, left() - ENGINE_MS));
  try {
    if (server && answers) await within(closed(server, answers), left() - ENGINE_MS);
    // What is still open has lost: the process ends.
    server?.closeAllConnections();
  } catch (error) {
    logger.warn('[rez] the server could not be closed', { error: String(error) });
  }
  state().ending -= 1;
  if (state().ending === 0) await close(left());
}

/** Resolves when each connection has ended. */
function closed(server: Server | HttpsServer, answers: Answers): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // A connection becomes idle when its answer ends, and would stay until its keep-alive time is over.
    answers.each(() => setImmediate(() => server.closeIdleConnections()));
  });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}

/** Waits for work, and not longer than `ms`. */
async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ms));
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

interface Answers {
  /** Each answer from now on ends its connection. */
  last(): void;
  /** Calls `listener` when an answer has ended. */
  each(listener: () => void): void;
  end(): void;
}

/** The answers that are on their way. */
function watchAnswers(server: Server | HttpsServer): Answers {
  const open = new Set<ServerResponse>();
  const listeners = new Set<() => void>();
  let last = false;
  const onRequest = (_: IncomingMessage, response: ServerResponse) => {
    open.add(response);
    response.on('close', () => {
      open.delete(response);
      for (const listener of listeners) listener();
    });
    if (last) endsConnection(response);
  };
  server.prependListener('request', onRequest);
  return {
    last() {
      last = true;
      for (const response of open) endsConnection(response);
    },
    each: (listener) => void listeners.add(listener),
    end: () => void server.off('request', onRequest),
  };
}

function endsConnection(response: ServerResponse): void {
  guarded(undefined, () => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  });
}
