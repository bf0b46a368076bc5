/** Requests by XMLHttpRequest, which axios and React Native's own fetch use. */
import type { ApiCall } from '../api/timing';
import { begin, bodyBytes, contentLength, depth, leaveBreadcrumb } from './requests';
import { quietly, replace, type Source, type Undo } from './source';

/** What a request is, from `open` to its end. Kept beside the object, which belongs to the app. */
interface Known {
  method: unknown;
  url: unknown;
  /** The XHR that a `fetch` makes: that one is recorded already. */
  inside: boolean;
  /** Names that the app has set. */
  headers: Set<string>;
}

const KEY = Symbol('app.rez.monitor.request');

type Request = XMLHttpRequest & { [KEY]?: Known };

/** Records what XMLHttpRequest does. */
export const xhrRequests: Source = () => {
  const scope = globalThis as { XMLHttpRequest?: { prototype: Request } };
  const prototype = scope.XMLHttpRequest?.prototype;
  if (typeof prototype?.open !== 'function') return 'XMLHttpRequest: this platform has none';
  const undo: Undo[] = [
    replace(
      prototype,
      'open',
      (before) =>
        function (this: Request, ...args: unknown[]) {
          quietly(() => {
            this[KEY] = { method: args[0], url: args[1], inside: depth.fetch > 0, headers: new Set() };
          });
          return (before as (...args: unknown[]) => void).apply(this, args);
        } as Request['open'],
    ),
    replace(
      prototype,
      'setRequestHeader',
      (before) =>
        function (this: Request, name: string, value: string) {
          quietly(() => this[KEY]?.headers.add(String(name).toLowerCase()));
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
  const known = request[KEY];
  if (known === undefined || known.inside) return;
  const call = begin(known.method, known.url);
  if (call === undefined) return;
  for (const [name, value] of Object.entries(call.headers())) {
    if (!known.headers.has(name.toLowerCase())) request.setRequestHeader(name, value);
  }
  let why = 'no response';
  for (const reason of ['abort', 'timeout', 'error'] as const) {
    request.addEventListener(reason, () => {
      why = reason === 'abort' ? 'cancelled' : reason;
    });
  }
  request.addEventListener('loadend', () => quietly(() => ended(request, known, call, body, why)));
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
