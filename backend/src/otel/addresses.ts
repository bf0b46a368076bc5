/**
 * Addresses in spans without the values that they hold: what an error tells of its request, and not more. The instrumentations keep all
 * values of a query but a few, and the user and the password of an address in the path that a proxy gets.
 *
 * A hook that makes the first attributes of a span replaces those of the instrumentation; one that is undefined leaves it out. So a
 * sampler sees no values either.
 */
import type { IncomingMessage, RequestOptions } from 'node:http';
import { guarded } from '../../../react-native/src/core/guard';
import { isAllowed } from '../http/request-privacy';
import { namesOf, pathOf, withoutValues } from '../http/url';

type Attributes = Record<string, string | undefined>;

/** What undici tells of its requests. */
interface UndiciRequest {
  origin: string | URL;
  path: string;
}

/** Names that releases before the stable conventions use for an address with its query. */
const OLD: Readonly<Attributes> = { 'http.url': undefined, 'http.target': undefined };

/** What remains if an address cannot be read. */
const NOTHING: Readonly<Attributes> = { ...OLD, 'url.full': undefined, 'url.path': undefined, 'url.query': undefined };

/** Attributes that are left out where a rule of `setRequestPrivacy` says so. */
const RULES = {
  'user_agent.original': 'request.headers.userAgent',
  'client.address': 'request.ip',
  'network.peer.address': 'request.ip',
} as const;

/** Of a request that the server answers: `startIncomingSpanHook` of the instrumentation of http. */
export function incomingAddress(request: IncomingMessage): Attributes {
  return guarded(NOTHING, () => {
    const { url = '' } = request;
    const query = url.split('#', 1)[0]?.split('?').slice(1).join('?') ?? '';
    const attributes: Attributes = {
      ...OLD,
      'url.path': isAllowed('request.uri') ? pathOf(request) : undefined,
      'url.query': (isAllowed('request.uri') && namesOf(query)) || undefined,
    };
    for (const [name, rule] of Object.entries(RULES)) if (!isAllowed(rule)) attributes[name] = undefined;
    return attributes;
  });
}

/** Of a call to another server: `startOutgoingSpanHook` of the instrumentation of http. */
export function outgoingAddress(options: RequestOptions): Attributes {
  return guarded(NOTHING, () => {
    const path = String(options.path ?? '/');
    // A proxy gets the whole address, and `CONNECT` none.
    const isWhole = /^[a-z][a-z0-9+.-]*:\/\//i.test(path);
    const full = isWhole ? path : `${originOf(options)}${path.startsWith('/') ? '' : '/'}${path}`;
    return { ...OLD, 'url.full': withoutValues(full) };
  });
}

/** Of a call by `fetch` or undici: `startSpanHook` of the instrumentation of undici. */
export function undiciAddress({ origin, path }: UndiciRequest): Attributes {
  return guarded(NOTHING, () => {
    const { href, pathname, search } = new URL(path, origin);
    return {
      ...OLD,
      'url.full': withoutValues(href),
      'url.path': withoutValues(pathname),
      'url.query': namesOf(search.slice(1)) || undefined,
    };
  });
}

function originOf({ protocol, host, hostname, port, defaultPort }: RequestOptions): string {
  const scheme = protocol ?? 'http:';
  const name = String(host ?? hostname ?? 'localhost');
  const isV6 = name.indexOf(':') !== name.lastIndexOf(':') && !name.startsWith('[');
  const usual = scheme === 'https:' ? 443 : 80;
  const given = Number(port ?? defaultPort ?? usual);
  const hasPort = /^[^:]+:\d+$/.test(name) || name.includes(']:');
  return `${scheme}//${isV6 ? `[${name}]` : name}${given === usual || hasPort ? '' : `:${given}`}`;
}
