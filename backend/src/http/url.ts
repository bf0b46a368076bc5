/** The address of a request, without the values that it holds. Nothing here throws. */
import { cut } from '../../../react-native/src/core/json';
import { readText } from '../../../react-native/src/core/read';
import { withoutQuery } from '../core/path';
import type { RequestLike } from './express';
import { isAllowed, VIEW_LIMITS } from './request-privacy';

/**
 * The address as the client has sent it, whichever router the request is in. What a proxy gets, `http://user:password@host/path`, is
 * without everything before the path.
 */
export function urlOf(request: RequestLike): string {
  const url = readText(request, 'originalUrl') || readText(request, 'url');
  const begin = pathBegin(url);
  if (begin === 0) return url;
  const path = url.slice(begin);
  return path.startsWith('/') ? path : `/${path}`;
}

/** The path of a request, without the query. At most 1,000 characters. */
export function pathOf(request: RequestLike): string {
  return shortened(withoutQuery(urlOf(request)), VIEW_LIMITS.url);
}

/** The path of a request and the names of its query: `/carts/7?coupon&page`. Empty if it has no URL. Never throws. */
export function urlWithoutValues(request: RequestLike): string {
  return withoutValues(urlOf(request));
}

/** The same for the log. Undefined if the rules of {@link setRequestPrivacy} leave addresses out. */
export function urlForLog(request: RequestLike): string | undefined {
  return isAllowed('request.uri') ? urlWithoutValues(request) : undefined;
}

/** An address, or a path, without user, password, the values of its query and its fragment. */
export function withoutValues(address: string): string {
  const url = withoutUser(address.split('#', 1)[0] ?? '');
  const at = url.indexOf('?');
  if (at < 0) return shortened(url, VIEW_LIMITS.url);
  const names = namesOf(url.slice(at + 1));
  const path = shortened(url.slice(0, at), VIEW_LIMITS.url);
  return names === '' ? path : `${path}?${names}`;
}

/** The names of a query that may be told, each once: `coupon&page`. */
export function namesOf(query: string): string {
  const names = query
    .slice(0, VIEW_LIMITS.url)
    .split('&', VIEW_LIMITS.names)
    .map((pair) => pair.split('=', 1)[0] ?? '')
    .filter((name) => name !== '' && isAllowed(`request.parameters.${name}`))
    .map((name) => shortened(name, VIEW_LIMITS.name));
  return [...new Set(names)].join('&');
}

/** Where the path, the query or the fragment of an address begins: 0 for one that has no scheme. */
function pathBegin(url: string): number {
  const scheme = SCHEME.exec(url)?.[0];
  if (scheme === undefined) return 0;
  const rest = url.slice(scheme.length).search(/[/?#]/);
  return rest < 0 ? url.length : scheme.length + rest;
}

function withoutUser(url: string): string {
  const begin = pathBegin(url);
  const authority = url.slice(0, begin);
  const at = authority.lastIndexOf('@');
  return at < 0 ? url : `${authority.slice(0, authority.indexOf('//') + 2)}${url.slice(at + 1)}`;
}

const SCHEME = /^[a-z][a-z0-9+.-]{0,30}:\/\//i;

/** A text on one line, without control characters, of a limited length. */
export function shortened(text: string, length = VIEW_LIMITS.value): string {
  // Longer than needed, so that the work on a text of megabytes is bounded.
  const line = text.slice(0, length + 1).replace(CONTROL, ' ');
  return line.length > length ? cut(line, length) : line;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it looks for.
const CONTROL = /[\u0000-\u001f\u007f\u2028\u2029]/g;
