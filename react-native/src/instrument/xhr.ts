/** Requests by XMLHttpRequest, which axios and React Native's own fetch use. */
import type { ApiCall } from '../api/timing';
import { quietly } from '../core/guard';
import { begin, bodyBytes, contentLength, isInsideFetch, leaveBreadcrumb } from './requests';
import { replace, type Source, type Undo } from './source';

/** What a request is, from `open` to its end. */
interface Known {
  method: unknown;
  url: unknown;
  /** The XHR that a `fetch` makes: that one is recorded already. */
  inside: boolean;
  /** Names that the app has set. */
  headers: Set<string>;
  /** Ends the record of a request that another `open` ends without an event. */
  dropped?: () => void;
}

type Request = XMLHttpRequest;

const KEY = Symbol('app.rez.monitor.request');

/** Beside the objects, which belong to the app. */
const requests = typeof WeakMap === 'function' ? new WeakMap<Request, Known>() : undefined;

function knownOf(request: Request): Known | undefined {
  return requests ? requests.get(request) : (request as { [KEY]?: Known })[KEY];
}

function remember(request: Request, known: Known | undefined): void {
  if (requests === undefined) Object.defineProperty(request, KEY, { value: known, configurable: true });
  else if (known) requests.set(request, known);
  else requests.delete(request);
}

/** Events that say why there is no response. */
const REASONS = ['abort', 'timeout', 'error'] as const;

/** Records what XMLHttpRequest does. */
export const xhrRequests: Source = () => {
  const scope = globalThis as { XMLHttpRequest?: { prototype: Request } };
  const prototype = scope.XMLHttpRequest?.prototype;
  if (typeof prototype?.open !== 'function') return 'XMLHttpRequest: this platform has none';
  const undo: Undo[] = [
    replace(
      prototype,
      'open',
      (before, on) =>
        function (this: Request, ...args: unknown[]) {
          if (!on()) return (before as (...args: unknown[]) => void).apply(this, args);
          let earlier: Known | undefined;
          quietly(() => {
            earlier = knownOf(this);
            const [method, url] = args;
            remember(this, { method, url, inside: isInsideFetch(method, url), headers: new Set() });
          });
          try {
            (before as (...args: unknown[]) => void).apply(this, args);
          } catch (error) {
            // A request that runs goes on.
            quietly(() => remember(this, earlier));
            throw error;
          }
          quietly(() => earlier?.dropped?.());
        } as Request['open'],
    ),
    replace(
      prototype,
      'setRequestHeader',
      (before) =>
        function (this: Request, name: string, value: string) {
          quietly(() => knownOf(this)?.headers.add(String(name).toLowerCase()));
          return before.call(this, name, value);
        },
    ),
    replace(
      prototype,
      'send',
      (before, on) =>
        function (this: Request, body?: unknown) {
          if (on()) quietly(() => observe(this, body));
          return (before as (body?: unknown) => void).call(this, body);
        } as Request['send'],
    ),
  ];
  return () => {
    for (const one of undo.reverse()) one();
  };
};

function observe(request: Request, body: unknown): void {
  const known = knownOf(request);
  if (known === undefined || known.inside) return;
  const call = begin(known.method, known.url);
  if (call === undefined) return;
  for (const [name, value] of Object.entries(call.headers())) {
    if (!known.headers.has(name.toLowerCase())) request.setRequestHeader(name, value);
  }
  let why = 'no response';
  const failed = (event: { type: string }) => {
    why = event.type === 'abort' ? 'cancelled' : event.type;
  };
  const done = () => {
    quietly(stop);
    quietly(() => ended(request, known, call, body, why));
  };
  // An object can be opened and sent again: what listens to this request must not hear the next one.
  const stop = () => {
    delete known.dropped;
    for (const reason of REASONS) request.removeEventListener(reason, failed);
    request.removeEventListener('loadend', done);
  };
  known.dropped = () => {
    stop();
    call.finish({ error: 'cancelled' });
  };
  for (const reason of REASONS) request.addEventListener(reason, failed);
  request.addEventListener('loadend', done);
}

function ended(request: Request, known: Known, call: ApiCall, body: unknown, why: string): void {
  const status = request.status > 0 ? request.status : undefined;
  const requestBytes = bodyBytes(body);
  const responseBytes = contentLength(request.getResponseHeader?.('content-length'));
  call.finish({
    ...(status === undefined ? { error: why } : { status }),
    ...(requestBytes !== undefined && { requestBytes }),
    ...(responseBytes !== undefined && { responseBytes }),
  });
  leaveBreadcrumb(known.method, known.url, status);
}
