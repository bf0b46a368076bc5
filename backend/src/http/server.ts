/**
 * Requests that failed or were slow, as rows that a process which is killed does not lose.
 *
 * They come from Node's own channel, so they exist for every HTTP/1 server, with and without Express, whatever was loaded first.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { defined, guarded } from '../../../react-native/src/core/guard';
import { record } from '../core/capture';
import { enterRequest, inRequest, tracerSpan } from '../core/context';
import { limits } from '../core/limits';
import { onClose } from '../core/monitor';
import { isProbe } from '../core/probes';
import { shared } from '../core/shared';
import { microseconds, spanBelow } from '../core/span';
import { routeOf } from './endpoint';
import { ifAllowed } from './request-privacy';
import { bindEvents, hasBody, ServedRequest } from './served-request';
import { pathOf } from './url';

/** The status of a request whose client left before the answer, as in nginx's log. */
export const CLIENT_CLOSED = 499;

const state = () => shared('http.server', () => ({ observing: false }));

/** The status of an answer that has closed. */
export function statusOf(response: ServerResponse): number {
  return response.writableFinished ? response.statusCode : CLIENT_CLOSED;
}

/** Records failed and slow requests until the engine closes. One observer per process. */
export function observeServer(): void {
  const known = state();
  if (known.observing) return;
  known.observing = true;
  subscribe('http.server.request.start', onStart);
  onClose(() => {
    known.observing = false;
    unsubscribe('http.server.request.start', onStart);
  });
}

function onStart(message: unknown): void {
  guarded(undefined, () => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const context = new ServedRequest(request);
    // What is entered here holds until the next request of the connection, which enters its own.
    enterRequest(context);
    if (hasBody(request)) bindEvents(request, context);
    // Of pipelined requests one closes in the context of another: each is told in its own. That of a tracer, which begins its span after
    // this channel and binds what listens to the response from then on, is reached one tick later. No response closes before.
    process.nextTick(() => {
      // After `finish` too: the one event that each answer has exactly once.
      response.on('close', () => guarded(undefined, () => inRequest(context, () => onEnd(context, request, response))));
    });
  });
}

function onEnd(context: ServedRequest, request: IncomingMessage, response: ServerResponse): void {
  const durationMs = performance.now() - context.began;
  const status = statusOf(response);
  const failed = status >= 500;
  if (!failed && durationMs <= limits().slowRequestMs) return;
  // Recording would open the engine again.
  if (!state().observing || isProbe(request)) return;
  if (!failed && isStream(response)) return;
  const route = ifAllowed('request.route', routeOf(request));
  const method = ifAllowed('request.method', request.method ?? '');
  const other = tracerSpan();
  const { user } = context;
  record({
    kind: 'span',
    // OpenTelemetry calls a request of which nothing is known so.
    name: [method, route].filter((part) => part !== undefined).join(' ') || 'HTTP',
    op: 'http.server',
    duration_us: microseconds(durationMs),
    status: failed ? 'error' : status === CLIENT_CLOSED ? 'cancelled' : 'ok',
    trace: other ? spanBelow(other) : context.trace,
    ...(user && { user }),
    attrs: defined({
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': ifAllowed('request.status', status),
      'url.path': ifAllowed('request.uri', pathOf(request)),
    }),
  });
}

/** Events that a server sends as long as the client listens: that time says nothing about the server. */
function isStream(response: ServerResponse): boolean {
  return String(response.getHeader('content-type') ?? '').startsWith('text/event-stream');
}
