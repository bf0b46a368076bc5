/**
 * Looks a route up in the routers of an Express app, 4 or 5.
 *
 * Of the routers around a route, Express keeps `request.baseUrl`: the path as it was asked for, and empty again after an error has left
 * the router. Their paths as the app has written them are in the layers of the routers.
 */
import { isObject } from '../../../react-native/src/core/read';
import { withoutQuery } from '../core/path';
import { writtenPath } from './written-path';

interface Layer {
  route?: object;
  /** Express 4. */
  regexp?: RegExp;
  keys?: readonly { name?: unknown }[];
  handle?: { stack?: Layer[] };
  /** From router 2.3 on it returns what it has found, before that `true`, and the layer has it. */
  match(path: string): boolean | Match;
}

/** The part of a path that a layer takes. */
interface Match {
  path?: string;
  params?: Record<string, unknown>;
  /** The path as the app has written it: router 2.3. */
  pattern?: unknown;
}

interface App {
  /** The paths under which apps contain this app, with parameters as they were written. */
  path?(): string;
  /** Express 5. In Express 4 this throws, and `_router` is the router. */
  router?: { stack?: Layer[] };
  _router?: { stack?: Layer[] };
}

/** Routers inside routers that are searched. */
const MAX_DEPTH = 8;

/** Where a route stands. */
export interface Place {
  /** The paths of the apps and routers around the route, as the app has written them. */
  template: string;
  /** Whether it is the same for each request: there is one way to the route, and no doubt about its parameters. */
  always: boolean;
}

/**
 * Where the route of a request stands in its app. `not Express`: the app has no router of Express. `not found`: no way to the route fits
 * the path that was asked for, because a middleware has changed it. Throws what the members of the request throw.
 */
export function placeOf(route: object, app: unknown, url: string): Place | 'not Express' | 'not found' {
  if (!isObject(app)) return 'not Express';
  const express = app as App;
  const stack = (express._router ?? express.router)?.stack;
  if (!Array.isArray(stack)) return 'not Express';
  const mountedAt = express.path?.() ?? '';
  const path = pathWithin(url, mountedAt);
  const chains = chainsTo(route, stack, MAX_DEPTH);
  for (const chain of chains) {
    const around = templateOf(chain, path);
    if (around) return { template: `${mountedAt}${around.template}`, always: around.always && chains.length === 1 };
  }
  return 'not found';
}

/** The routers from the app to the route, outermost first; one list for each way. */
function chainsTo(route: object, stack: readonly Layer[], depth: number): Layer[][] {
  if (depth === 0) return [];
  return stack.flatMap((layer) => {
    if (layer.route === route) return [[]];
    const inner = layer.handle?.stack;
    return Array.isArray(inner) ? chainsTo(route, inner, depth - 1).map((chain) => [layer, ...chain]) : [];
  });
}

/** The paths of the routers, with the names of parameters for their values. Undefined: this is not the way that the request took. */
function templateOf(chain: readonly Layer[], path: string): Place | undefined {
  let rest = path;
  let template = '';
  let always = true;
  for (const layer of chain) {
    const found = layer.match(rest);
    if (!found) return undefined;
    const { path: matched = '', params = {}, pattern } = typeof found === 'object' ? found : (layer as Match);
    const isWritten = typeof pattern === 'string' || pattern instanceof RegExp;
    const asked = rest;
    rest = rest.slice(matched.length) || '/';
    if (matched === '') continue;
    if (isWritten) template += String(pattern);
    else if (layer.regexp instanceof RegExp) {
      template += writtenPath({ regexp: layer.regexp, keys: layer.keys ?? [] }, asked).replace(/\/$/, '');
    } else {
      const segments = matched.split('/');
      // Of `/carts/carts`, which was asked for, each can be the parameter.
      if (new Set(segments).size < segments.length) always = false;
      template += named(segments, params);
    }
  }
  return { template, always };
}

function named(segments: string[], params: Readonly<Record<string, unknown>>): string {
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    const text = String(value);
    const places = segments.flatMap((segment, at) => (decoded(segment) === text ? [at] : []));
    const [whole] = places;
    // A parameter that is a part of a segment, or several segments.
    if (whole === undefined) return `/:${Object.keys(params).join('/:')}`;
    // Nobody knows which of equal segments is the value.
    if (places.length > 1) for (const at of places) segments[at] = ':id';
    else segments[whole] = `:${name}`;
  }
  return segments.join('/');
}

/** The path that the innermost app has seen. */
function pathWithin(url: string, mounted: string): string {
  const path = withoutQuery(url);
  if (mounted === '') return path;
  const inner = path.split('/').slice(mounted.split('/').length);
  return `/${inner.join('/')}`;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
