/**
 * Calls to other servers: those that fail or are slow become rows, and hosts of the team get the trace.
 *
 * They come from the channels of `node:http` and of undici, which is behind the global `fetch`. The engine's own deliveries are
 * native and never seen here.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { guarded } from '../../../react-native/src/core/guard';
import type { Trace } from '../../../react-native/src/core/items';
import { record } from '../core/capture';
import { activeTrace, inRequest, type RequestContext, requestContext, tracerSpan } from '../core/context';
import { limits } from '../core/limits';
import { client, onClose } from '../core/monitor';
import { shared } from '../core/shared';
import { errorKind, microseconds, spanBelow } from '../core/span';

/** A call that has no answer yet. */
interface Call {
  began: number;
  method: string;
  url: string;
  trace: Trace;
  /** The request in whose answer it was made: the answer can come on a connection of another one. */
  context: RequestContext | undefined;
}

/** What undici publishes of its requests. */
interface UndiciRequest {
  method: string;
  origin: string | URL;
  path: string;
  /** Names and values in turn. */
  headers: unknown;
  addHeader(name: string, value: string): void;
}

interface State {
  observing: boolean;
  calls: WeakMap<object, Call>;
}

const state = () => shared<State>('http.outgoing', () => ({ observing: false, calls: new WeakMap() }));

const CHANNELS: Readonly<Record<string, (message: never) => void>> = {
  'http.client.request.created': ({ request }: { request: ClientRequest }) => {
    const host = String(request.getHeader('host') ?? request.host);
    const url = request.path.startsWith('/') ? `${request.protocol}//${host}${request.path}` : request.path;
    // The traffic of a tracer is no call of the app.
    if (isExporter(request.getHeader('user-agent'))) return;
    begin(request, request.method, url, {
      has: request.hasHeader('traceparent') || request.headersSent,
      add: (name, value) => request.setHeader(name, value),
    });
  },
  'http.client.response.finish': ({ request, response }: { request: object; response: { statusCode?: number } }) =>
    end(request, response.statusCode ?? 0),
  'http.client.request.error': ({ request, error }: { request: object; error: unknown }) => end(request, 0, error),
  'undici:request:create': ({ request }: { request: UndiciRequest }) => {
    const headers = Array.isArray(request.headers) ? request.headers : [];
    if (isExporter(headers[headers.findIndex(isNamed('user-agent')) + 1])) return;
    begin(request, request.method, `${request.origin}${request.path}`, {
      has: headers.some(isNamed('traceparent')),
      add: (name, value) => request.addHeader(name, value),
    });
  },
  'undici:request:headers': ({ request, response }: { request: object; response: { statusCode: number } }) =>
    end(request, response.statusCode),
  'undici:request:error': ({ request, error }: { request: object; error: unknown }) => end(request, 0, error),
};

/** Records failed and slow calls, and sends the trace along, until the engine closes. One observer per process. */
export function observeOutgoing(): void {
  const known = state();
  if (known.observing) return;
  known.observing = true;
  const listeners = Object.entries(CHANNELS).map(([name, listen]) => {
    // An error in a listener would end the process.
    const listener = (message: unknown) => guarded(undefined, () => listen(message as never));
    subscribe(name, listener);
    return () => unsubscribe(name, listener);
  });
  onClose(() => {
    known.observing = false;
    for (const remove of listeners) remove();
  });
}

function begin(request: object, method: string, url: string, headers: Headers): void {
  const trace = spanBelow(activeTrace());
  state().calls.set(request, { began: performance.now(), method, url, trace, context: requestContext() });
  if (headers.has || tracerSpan()) return;
  for (const [name, value] of Object.entries(client().traceHeaders(trace, url))) headers.add(name, value);
}

interface Headers {
  /** Whether the request carries a trace, or can carry none any more. */
  has: boolean;
  add(name: string, value: string): void;
}

/** The head of the answer is there, or there will be none. Whatever follows is the body's time. */
function end(request: object, status: number, error?: unknown): void {
  const { calls } = state();
  const call = calls.get(request);
  if (!call) return;
  calls.delete(request);
  const durationMs = performance.now() - call.began;
  if (error === undefined && status < 500 && durationMs <= limits().slowCallMs) return;
  inRequest(call.context, () =>
    record({
      kind: 'api_call',
      method: call.method,
      // The engine stores no query.
      url: call.url,
      duration_us: microseconds(durationMs),
      ...(status > 0 && { status }),
      ...(error !== undefined && { error: errorKind(error) }),
      trace: call.trace,
    }),
  );
}

/** OTLP exporters name themselves so, in every language. */
function isExporter(agent: unknown): boolean {
  return String(agent ?? '').startsWith('OTel-OTLP-Exporter');
}

function isNamed(wanted: string): (value: unknown, at: number) => boolean {
  return (value, at) => at % 2 === 0 && String(value).toLowerCase() === wanted;
}
