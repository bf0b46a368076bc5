/**
 * Which requests may carry trace headers by the rules of the app, among them regular expressions, which the engine does not know.
 *
 * Only the host that a request goes to counts. A URL that two clients could send to different hosts matches nothing, and a regular
 * expression sees neither query nor fragment: `https://other.example/?next=api.shop.example` is a request to `other.example`.
 */
import { shared } from './carrier';
import { say } from './say';

interface Target {
  /** Only the hosts below it: `*.shop.example`. */
  below: boolean;
  host: string;
  /** With its colon; empty for any. */
  port: string;
  /** Empty for any. */
  path: string;
}

const rules = () => shared('targets', () => ({ targets: [] as Target[], patterns: [] as RegExp[] }));

/** `host[:port][/path]`, as the engine takes it. */
const TARGET = /^(?:https?:\/\/)?(\*\.)?([\w-]+(?:\.[\w-]+)*)(:[1-9]\d{0,4})?(\/[^\s?#\\]*)?$/i;
const ABSOLUTE = /^https?:\/\/([\w-]+(?:\.[\w-]+)*)\.?(:\d{1,5})?(\/[^\s\\]*)?$/i;
const RELATIVE = /^\/(?![/\\])[^\s\\]*$/;

/** The most rules that are kept, and the longest URL that is matched. */
const MOST = 256;
const LONGEST = 4_096;

/** Adds rules. Returns those that the engine knows too, in its own form. */
export function addTracingTargets(list: readonly unknown[]): string[] {
  const all = rules();
  const forEngine: string[] = [];
  for (const one of list) {
    if (all.targets.length + all.patterns.length >= MOST) break;
    if (one instanceof RegExp) {
      // Options often repeat their rules: `/x/` in two places are two objects.
      if (!all.patterns.some((known) => String(known) === String(one))) all.patterns.push(one);
      continue;
    }
    const [, below, host, port = '', path = ''] = (typeof one === 'string' && TARGET.exec(one.trim())) || [];
    if (host === undefined || Number(port.slice(1)) > 65_535 || path.includes('/.')) {
      say(`a tracing target is left out: use a host such as \`api.example.com\`, or a regular expression`);
      continue;
    }
    const target = { below: below !== undefined, host: host.toLowerCase(), port, path: path.replace(/\/+$/, '') };
    const text = `${below ?? ''}${target.host}${target.port}${target.path}`;
    if (!forEngine.includes(text)) forEngine.push(text);
    if (!all.targets.some((known) => JSON.stringify(known) === JSON.stringify(target))) all.targets.push(target);
  }
  return forEngine;
}

/** Whether a request to `url` may carry trace headers. */
export function isTracingTarget(url: string): boolean {
  const { targets, patterns } = rules();
  if (typeof url !== 'string' || url.length > LONGEST || targets.length + patterns.length === 0) return false;
  const [bare = ''] = url.split(/[?#]/, 1);
  const [, name, port = '', path = ''] = ABSOLUTE.exec(bare) ?? [];
  if (name === undefined && !RELATIVE.test(bare)) return false;
  const isHost = name !== undefined && targets.some((target) => allows(target, name.toLowerCase(), port, path));
  return isHost || patterns.some(matches(bare));
}

function allows({ below, host, port, path }: Target, name: string, urlPort: string, urlPath: string): boolean {
  const isBelow = host.includes('.') || below ? name.endsWith(`.${host}`) : false;
  if (!isBelow && (below || name !== host)) return false;
  if (port !== '' && port !== urlPort) return false;
  return path === '' || urlPath === path || urlPath.startsWith(`${path}/`);
}

function matches(url: string) {
  return (pattern: RegExp): boolean => {
    try {
      // Global and sticky expressions continue where the last match ended.
      pattern.lastIndex = 0;
      return pattern.test(url);
    } catch {
      return false;
    }
  };
}
