/**
 * What an error tells about its request. Values that a client has sent are left out: those of the query and the body are private more
 * often than they help, and their names and types say which input it was.
 */
import { guarded } from '../../../react-native/src/core/guard';
import { isObject, read, readText } from '../../../react-native/src/core/read';
import { routeOf, UNKNOWN_ROUTE } from './endpoint';
import type { RequestLike } from './express';
import { isAllowed, isHeaderAllowed, isIpAllowed, VIEW_LIMITS } from './request-privacy';
import { shortened, urlWithoutValues } from './url';

/** The request of an error. A member that is not known, or not allowed, is absent. */
export interface RequestView {
  method?: string;
  /** Path and names of the query: `/carts/7?coupon&page`. */
  url?: string;
  /** The template of the route: `/carts/:id`. */
  route?: string;
  /** The status of the answer. */
  status?: number;
  userAgent?: string;
  /** Only if the app asks for it. */
  ip?: string;
  headers?: Record<string, string>;
  /** The type of the body, or those of its members: `{ quantity: 'number', note: 'string(120)' }`. */
  body?: string | Record<string, string>;
}

/** The view of a request. Never throws. */
export function requestView(request: RequestLike, status?: number): RequestView {
  const view: RequestView = {};
  const add = <N extends keyof RequestView>(name: N, attribute: string, value: RequestView[N] | undefined) => {
    if (value !== undefined && value !== '' && isAllowed(`request.${attribute}`)) view[name] = value;
  };
  guarded(undefined, () => {
    const headers = read(request, 'headers');
    add('method', 'method', shortened(readText(request, 'method')));
    add('url', 'uri', urlWithoutValues(request));
    const route = routeOf(request);
    if (route !== UNKNOWN_ROUTE) add('route', 'route', route);
    add('status', 'status', status);
    add('userAgent', 'headers.userAgent', shortened(readText(headers, 'user-agent')));
    if (isIpAllowed()) add('ip', 'ip', shortened(readText(request, 'ip')));
    add('headers', 'headers', headersOf(headers));
    add('body', 'body', bodyOf(read(request, 'body')));
  });
  return view;
}

function headersOf(headers: unknown): Record<string, string> | undefined {
  if (!isObject(headers)) return undefined;
  const names = Object.keys(headers).filter(isHeaderAllowed).slice(0, VIEW_LIMITS.headers);
  if (names.length === 0) return undefined;
  // A list, which a header like `via` can be, is text here.
  return Object.fromEntries(names.map((name) => [name, shortened(guarded('', () => String(read(headers, name))))]));
}

function bodyOf(body: unknown): RequestView['body'] {
  if (body === undefined || body === null) return undefined;
  if (!isObject(body) || ArrayBuffer.isView(body) || guarded(true, () => Array.isArray(body))) return typeOf(body);
  const names = Object.keys(body)
    .filter((name) => isAllowed(`request.body.${name}`))
    .slice(0, VIEW_LIMITS.names);
  if (names.length === 0) return undefined;
  return Object.fromEntries(names.map((name) => [shortened(name, VIEW_LIMITS.name), typeOf(read(body, name))]));
}

/** The type of a value and, if it has one, its length. */
function typeOf(value: unknown): string {
  if (typeof value === 'string') return `string(${value.length})`;
  if (value === null) return 'null';
  if (ArrayBuffer.isView(value)) return `bytes(${value.byteLength})`;
  return guarded('unreadable', () => (Array.isArray(value) ? `array(${value.length})` : typeof value));
}
