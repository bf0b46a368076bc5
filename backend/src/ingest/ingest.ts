/** The receiving side of the `rez` protocol: `POST /v1/batch` on the team's own server. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { members } from '../../../react-native/src/api/members';
import { trimmedPath } from '../core/path';
import { type Answer, busy, Refused, send } from './answer';
import { Arriving, arrival, checkType, discard, Gone } from './body';
import { type FindProject, type Keys, projectFinder, writeKey } from './keys';
import { ARRIVING_BYTES, BODY_MS, CONCURRENT, SINK_MS, STUCK_MS } from './limits';
import { complaints } from './log';
import { type Counted, settle, unavailable } from './settle';
import type { Sink } from './sinks/sink';
import { timesOf } from './time';
import { within } from './within';

/** What became of a request, for metrics. */
export interface Observed extends Counted {
  /** As answered; 499 if the client went away before its body was read. */
  readonly status: number;
  /** Absent if the key is not known. */
  readonly project?: string;
  readonly milliseconds: number;
}

/** Options of {@link rezIngest}. */
export interface IngestOptions {
  /** Who may send: write keys with the project of each, or a function that looks one up. */
  readonly keys: Keys;
  /** Where events go. */
  readonly sink: Sink;
  /** Batches at once in this process, after their bodies have arrived; one more gets 429. Default 32: each takes up to about 10 MiB. */
  readonly concurrent?: number;
  /** Bytes of bodies that are still arriving, of all requests together; the request that exceeds it gets 429. Default 64 MiB. */
  readonly arrivingBytes?: number;
  /** Milliseconds for a body to arrive. Default 15,000. */
  readonly bodyMs?: number;
  /** Milliseconds for the sink, and for a function that looks up a key. Default 10,000. */
  readonly sinkMs?: number;
  /** Called after each request. What it throws, or rejects with, is ignored. */
  readonly observe?: (request: Observed) => void;
  /** The clock, in milliseconds since 1970: for tests. */
  readonly now?: () => number;
}

/** A handler for Express 4 and 5, Connect and `http.createServer`. */
export type IngestHandler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void;

const PATH = '/v1/batch';

const DEFAULTS = {
  concurrent: CONCURRENT,
  arrivingBytes: ARRIVING_BYTES,
  bodyMs: BODY_MS,
  sinkMs: SINK_MS,
  now: Date.now as () => number,
};

/** What is read of the options: one that is null is left out. */
const OPTIONS = ['keys', 'sink', 'observe', 'concurrent', 'arrivingBytes', 'bodyMs', 'sinkMs', 'now'] as const;

/**
 * Receives batches at `POST /v1/batch`. Any other path goes to `next`; without one it gets 404.
 *
 * Events are acknowledged after the sink has committed them, each by itself. The handler keeps no state, so any number of instances can
 * share a sink. Nothing is thrown later; options that cannot be used throw here.
 */
export function rezIngest(options: IngestOptions): IngestHandler {
  const { keys, observe, ...given } = members(options, ...OPTIONS);
  const sink = given.sink as Sink;
  const { now, bodyMs, sinkMs, concurrent, arrivingBytes } = { ...DEFAULTS, ...given };
  if (typeof sink?.store !== 'function') throw new TypeError('rezIngest: `sink` has no method `store`');
  for (const [name, value] of Object.entries({ bodyMs, sinkMs, concurrent, arrivingBytes })) {
    if (!(Number.isFinite(value) && value >= 1)) throw new RangeError(`rezIngest: \`${name}\` must be a number from 1`);
  }
  const find = projectFinder(keys);
  const complain = complaints(now);
  const arriving = new Arriving(arrivingBytes);
  let working = 0;

  async function answer(req: IncomingMessage, counted: Counted & { project?: string }): Promise<Answer> {
    if (req.method !== 'POST') throw new Refused(405, 'method', 'send batches by POST');
    counted.project = await projectOf(req, find, sinkMs);
    checkType(req);
    // A place is taken after this: a client that sends slowly must not hold one.
    const readJson = await arrival(req, bodyMs, arriving);
    if (working >= concurrent) throw busy(429, 'busy', 'too many batches at once: send it again');
    working += 1;
    let held: Promise<unknown> | undefined;
    try {
      const body = await readJson();
      const key = req.headers['idempotency-key'];
      const times = timesOf(req.headers, now());
      const abort = new AbortController();
      const work = settle(
        sink,
        { project: counted.project, body, key: typeof key === 'string' ? key : undefined, times, signal: abort.signal },
        counted,
      );
      held = work;
      return await within(sinkMs, work, () => abort.abort());
    } finally {
      // A sink that goes on after its time still holds memory and connections: its place is free when it ends.
      const free = () => {
        working -= 1;
      };
      if (held === undefined) free();
      else within(STUCK_MS, held).then(free, free);
    }
  }

  return (req, res, next) => {
    if (trimmedPath(req.url) !== PATH) {
      if (next) next();
      else refuse(req, res, new Refused(404, 'path', `there is nothing at this address: batches go to ${PATH}`));
      return;
    }
    const begin = performance.now();
    const counted: Counted & { project?: string } = { accepted: 0, duplicate: 0, rejected: 0 };
    answer(req, counted)
      .then(
        (good) => {
          send(res, good);
          return good.status;
        },
        (error: unknown) => {
          if (error instanceof Gone) return 499;
          if (!(error instanceof Refused)) complain(error);
          const refused = error instanceof Refused ? error : unavailable(error);
          refuse(req, res, refused);
          return refused.status;
        },
      )
      .then((status) => {
        const milliseconds = performance.now() - begin;
        // Async: one that returns a promise may reject later.
        (async () => observe?.({ status, milliseconds, ...counted }))().catch(() => undefined);
      })
      // The app's own `res` can throw.
      .catch((error: unknown) => complain(error));
  };
}

async function projectOf(req: IncomingMessage, find: FindProject, ms: number): Promise<string> {
  const key = writeKey(req);
  const found = key === undefined ? undefined : find(key);
  // Anything that can be awaited: a query of mongoose is no promise.
  const project = typeof found === 'object' ? await within(ms, Promise.resolve(found)) : found;
  if (typeof project === 'string' && project !== '') return project;
  throw new Refused(401, 'key', 'the key in `Authorization: Bearer` is missing or invalid');
}

/** Refuses a request. Its body, as far as it was not read, is dropped, so that the client gets the answer. */
function refuse(req: IncomingMessage, res: ServerResponse, refused: Refused): void {
  discard(req);
  send(res, refused.answer());
}
