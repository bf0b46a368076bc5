/** What XHR and fetch share: one row per request, and headers for allowed targets only. */
import { ApiCall } from '../api/timing';
import { carrier, client } from '../core/carrier';
import { describe } from '../core/json';

/** While this is above 0, `fetch` is being called: the XHR that it makes inside is the same request. */
export const depth = { fetch: 0 };

/** Requests of the development server, of which the app knows nothing. */
const DEVELOPMENT =
  /^https?:\/\/(localhost|127\.0\.0\.1|10\.0\.2\.2|\[::1\])(:\d+)?\/(symbolicate|logs|message|status|inspector|open-stack-frame|[^?]*\.bundle)\b/;

/** Begins the record of a request; undefined for one that is none of the app's. */
export function begin(method: unknown, url: unknown): ApiCall | undefined {
  const address = describe(url);
  const isHttp = /^https?:/i.test(address) || !/^[a-z][a-z0-9+.-]*:/i.test(address);
  if (!isHttp || DEVELOPMENT.test(address)) return undefined;
  return new ApiCall(describe(method || 'GET').toUpperCase(), address);
}

/** A breadcrumb of a request, without its query. */
export function leaveBreadcrumb(method: unknown, url: unknown, status: number | undefined): void {
  if (carrier().settings.breadcrumbNetwork === false) return;
  const address = describe(url).split(/[?#]/, 1)[0] ?? '';
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
