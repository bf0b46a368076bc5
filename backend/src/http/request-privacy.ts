/**
 * Which attributes of a request may be recorded and logged: with an error, in a row, in a span. The rules are one list for the whole
 * process: those of `newrelic.js` and those of the app add up.
 */
import { recordOf } from '../../../react-native/src/core/guard';
import { shared } from '../core/shared';

/** Limits of what is told about one request. */
export const VIEW_LIMITS = {
  /** Characters of the URL, and of the template of the route. */
  url: 1_000,
  /** Characters of a header's value. */
  value: 200,
  /** Characters of a name in the query or the body. */
  name: 60,
  headers: 32,
  /** Names of the query, and members of the body. */
  names: 50,
};

/** Headers that say how a request was made, and nothing about who made it. */
const ALLOWED = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'origin',
  'transfer-encoding',
]);

/** Headers that are never recorded, whatever the app allows. `x-*` are the app's own: keys, sessions, addresses of clients. */
const NEVER = new Set(['authorization', 'cookie', 'proxy-authorization', 'set-cookie', 'forwarded', 'referer']);

/** Parts of a header's name that announce a secret, for an app that allows all headers. */
const SECRET = ['auth', 'key', 'secret', 'token', 'session', 'password', 'csrf', 'signature', 'cookie'];

/** What an app may change. Every member is optional. */
export interface RequestPrivacy {
  /**
   * Attributes to leave out, in New Relic's words: `request.headers.userAgent`, `request.parameters.coupon`, `request.uri`. A `*` at the
   * end stands for any rest. Rules add up, and none can be taken back.
   */
  exclude?: readonly string[];
  /**
   * Whether all headers are recorded, instead of those that say nothing about a person. Default: false. Credentials, `x-*` and names
   * that announce a secret are left out all the same.
   */
  allHeaders?: boolean;
  /** Whether the address of the client is recorded. Default: false. */
  ip?: boolean;
}

interface State {
  exact: Set<string>;
  prefixes: string[];
  allHeaders: boolean;
  ip: boolean;
}

const state = () =>
  shared<State>('request-privacy', () => ({ exact: new Set(), prefixes: [], allHeaders: false, ip: false }));

/** Sets what errors, rows, spans and lines of the log tell about a request. A rule that is no text is left out. */
export function setRequestPrivacy(rules: RequestPrivacy): void {
  const { exclude, allHeaders, ip } = recordOf(rules);
  const known = state();
  if (allHeaders != null) known.allHeaders = allHeaders === true;
  if (ip != null) known.ip = ip === true;
  if (!Array.isArray(exclude)) return;
  for (const rule of exclude) {
    if (typeof rule !== 'string' || rule === '') continue;
    const name = normal(rule);
    if (!name.endsWith('*')) known.exact.add(name);
    else if (!known.prefixes.includes(name.slice(0, -1))) known.prefixes.push(name.slice(0, -1));
  }
}

/** Whether an attribute may be recorded: `request.method`, `request.parameters.coupon`. */
export function isAllowed(attribute: string): boolean {
  const { exact, prefixes } = state();
  // Most apps have no rules, and this is asked for each request.
  if (exact.size === 0 && prefixes.length === 0) return true;
  const name = normal(attribute);
  return !exact.has(name) && !prefixes.some((prefix) => name.startsWith(prefix));
}

/** The value of an attribute that may be recorded, else undefined. */
export function ifAllowed<T>(attribute: string, value: T): T | undefined {
  return isAllowed(attribute) ? value : undefined;
}

/** Whether the value of a header may be recorded. */
export function isHeaderAllowed(header: string): boolean {
  const name = header.toLowerCase();
  if (NEVER.has(name) || name.startsWith('x-')) return false;
  if (!ALLOWED.has(name) && (!state().allHeaders || SECRET.some((part) => name.includes(part)))) return false;
  return isAllowed(`request.headers.${name}`);
}

/** Whether the address of the client may be recorded. */
export function isIpAllowed(): boolean {
  return state().ip && isAllowed('request.ip');
}

/** New Relic writes `request.headers.userAgent` for `user-agent`: letters and dots decide. */
function normal(name: string): string {
  return name.toLowerCase().replaceAll('-', '');
}
