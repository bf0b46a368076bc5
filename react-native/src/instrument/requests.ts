/** What XHR and fetch share: one row per request, and headers for allowed targets only. */
import { ApiCall } from '../api/timing';
import { carrier, client, shared } from '../core/carrier';
import { isDevelopment } from '../core/development';
import { describe } from '../core/json';
import { isUpload } from './uploads';

/** A `fetch` that runs and is recorded. */
export interface Running {
  readonly key: string;
  /** Its XHR is known; another one of the same address is a request of its own. */
  matched: boolean;
}

interface Fetches {
  /** While this is above 0, `fetch` is being called: the XHR that it makes inside is the same request. */
  depth: number;
  /** The one that is being called. */
  current: Running | undefined;
  /** Those that have not ended. */
  running: Running[];
}

/** Two copies of the package in one app must know each other's calls. */
export const fetches = (): Fetches => shared('fetches', () => ({ depth: 0, current: undefined, running: [] }));

/** The most calls that are looked through. */
const MOST = 64;

function keyOf(method: unknown, url: unknown): string {
  return `${describe(method || 'GET').toUpperCase()} ${describe(url).replace(/#.*$/, '')}`;
}

/** Notes a `fetch` that runs. */
export function runs(method: unknown, url: unknown): Running {
  const one: Running = { key: keyOf(method, url), matched: false };
  const { running } = fetches();
  running.push(one);
  // A fetch can run for ever.
  if (running.length > MOST) running.shift();
  return one;
}

/** A `fetch` has ended. */
export function ran(one: Running): void {
  const { running } = fetches();
  const at = running.indexOf(one);
  if (at >= 0) running.splice(at, 1);
}

/**
 * Whether an XHR is part of a `fetch` that is recorded: it is made while `fetch` is called, or it asks for what a running `fetch` asks
 * for, because a library that wraps `fetch` waits before it passes a call on. Each `fetch` has one XHR at most. Where `fetch` makes none,
 * an XHR of the same method and address, opened while it runs, counts as part of it.
 */
export function isInsideFetch(method: unknown, url: unknown): boolean {
  const { depth, current, running } = fetches();
  if (depth > 0) {
    if (current) current.matched = true;
    return true;
  }
  if (running.length === 0) return false;
  const key = keyOf(method, url);
  const one = running.find((known) => !known.matched && known.key === key);
  if (one) one.matched = true;
  return one !== undefined;
}

/** Requests of the development server, of which the app knows nothing. */
const SERVER = /^https?:\/\/(?:localhost|127\.0\.0\.1|10\.0\.2\.2|\[::1\])(?::\d+)?\/(.*)/;
const DEVELOPMENT = /^(?:symbolicate|logs|message|status|inspector|open-stack-frame|[^?]*\.bundle)\b/;

function isOfServer(address: string): boolean {
  if (!isDevelopment()) return false;
  const [, path] = SERVER.exec(address) ?? [];
  return path !== undefined && DEVELOPMENT.test(path);
}

/** Begins the record of a request; undefined for one that is none of the app's. */
export function begin(method: unknown, url: unknown): ApiCall | undefined {
  const address = describe(url);
  const isHttp = /^https?:/i.test(address) || !/^[a-z][a-z0-9+.-]*:/i.test(address);
  if (!isHttp || isOfServer(address) || isUpload(address)) return undefined;
  return new ApiCall(describe(method || 'GET').toUpperCase(), address);
}

/** What stands between `//` and the host. A password may hold an `@`, so the last one counts. */
const USER = /^((?:[a-z][a-z0-9+.-]*:)?\/\/)[^/?#\\]*@/i;

/** A breadcrumb of a request, without user, query and fragment. */
export function leaveBreadcrumb(method: unknown, url: unknown, status: number | undefined): void {
  if (carrier().settings.breadcrumbNetwork === false) return;
  const address = (describe(url).split(/[?#]/, 1)[0] ?? '').replace(USER, '$1');
  client().breadcrumb({
    type: 'http',
    category: 'http',
    level: status === undefined || status >= 500 ? 'error' : status >= 400 ? 'warning' : 'info',
    data: {
      method: describe(method || 'GET').toUpperCase(),
      url: address,
      ...(status !== undefined && { status_code: status }),
    },
  });
}

/** Bytes that a body takes, where that can be known without reading it. */
export function bodyBytes(body: unknown): number | undefined {
  if (typeof body === 'string') return utf8Bytes(body);
  const sized = body as { byteLength?: unknown; size?: unknown } | null | undefined;
  if (typeof sized?.byteLength === 'number') return sized.byteLength;
  return typeof sized?.size === 'number' ? sized.size : undefined;
}

/** The number of a `content-length`. */
export function contentLength(value: unknown): number | undefined {
  const text = typeof value === 'string' ? value.trim() : '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Counts without encoding; long texts are not counted, since that takes time. */
function utf8Bytes(text: string): number | undefined {
  if (text.length > 100_000) return undefined;
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // A surrogate pair takes 4 bytes, 2 for each half.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}
