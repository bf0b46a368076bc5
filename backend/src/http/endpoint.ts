/** The name of a request without the values in it: labels, lines of the log and names of spans must not hold ids. */
import { guarded } from '../../../react-native/src/core/guard';
import { isObject, read, readText } from '../../../react-native/src/core/read';
import type { RequestLike } from './express';
import { placeOf } from './routers';
import { pathOf, urlOf } from './url';

/** The route of a request that no route has answered. */
export const UNKNOWN_ROUTE = 'unknown';

/** Characters of a route. */
const MAX_ROUTE = 200;

/** The names of routes that have one name whatever was asked for. */
const names = new WeakMap<object, string>();

/**
 * The route that answered, as the app has written it, with the routers around it: `/carts/:cart/items/:id`. `unknown` if no route did.
 * Never throws.
 *
 * Outside an app of Express the paths of the routers are not known. Segments of the path that was asked for stand for them then, and a
 * segment that looks like a value becomes `:id`. In an app of Express they are not known where a middleware has changed the path: then
 * each segment is `:id`, because any of them can be a value.
 */
export function routeOf(request: RequestLike): string {
  const route = read(request, 'route');
  // Another framework may have a `route` of its own kind.
  if (!isObject(route)) return UNKNOWN_ROUTE;
  return names.get(route) ?? guarded(UNKNOWN_ROUTE, () => nameOf(request, route));
}

function nameOf(request: RequestLike, route: object): string {
  const { path } = route as { path?: unknown };
  if (path === undefined || path === null) return UNKNOWN_ROUTE;
  const own = Array.isArray(path) ? path.map(String).join('|') : String(path);
  const place = placeOf(route, read(request, 'app'), urlOf(request));
  const around =
    typeof place === 'object'
      ? place.template
      : masked(baseOf(request, own), place === 'not found' ? isEmpty : isFixed);
  const name = `${around}${own === '/' && around !== '' ? '' : own}`.slice(0, MAX_ROUTE) || '/';
  if (typeof place === 'object' && place.always) names.set(route, name);
  return name;
}

/**
 * The path of the routers as it was asked for. Express forgets it when an error leaves the router, before the error handler answers: then
 * it is what stands before the segments of the template.
 */
function baseOf(request: RequestLike, template: string): string {
  const base = readText(request, 'baseUrl');
  if (base !== '') return base;
  for (const character of '*{}()?+^$|\\') if (template.includes(character)) return '';
  const segments = segmentsOf(pathOf(request));
  const before = segments.slice(0, Math.max(0, segments.length - segmentsOf(template).length));
  return before.map((segment) => `/${segment}`).join('');
}

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** Only a word and a version, `v2`, are no value. */
function isFixed(segment: string): boolean {
  return /^(?:[a-z_-]{0,40}|v\d{1,3})$/i.test(segment);
}

/** What is before the first slash and after the last one. */
function isEmpty(segment: string): boolean {
  return segment === '';
}

/** A path with `:id` for each segment that may be a value. */
function masked(path: string, isKept: (segment: string) => boolean): string {
  return path
    .split('/')
    .map((segment) => (isKept(segment) ? segment : ':id'))
    .join('/');
}
