/**
 * Turns what an app passes into JSON, whatever it is.
 *
 * An app passes objects that hold themselves, getters that throw, functions, BigInt, errors and texts of megabytes. `toJson` never
 * throws and never runs longer than its limits allow. What JSON cannot hold becomes text: `[Function]`, `[Symbol]`, `[Circular]`.
 */

/** Limits of one item. The engine has its own, smaller ones for most texts (`docs/guide/record.md`); these bound the work here. */
export const limits = {
  /** Characters of an item. The architecture gives 24 KiB to an event. */
  item: 24 * 1024,
  /** Characters of a text inside an item. */
  text: 16 * 1024,
  /** Members of the item itself. Those of the engine have at most 25. */
  own: 64,
  /** Members of an object, and elements of a list. */
  members: 256,
  /** Nested objects. The engine keeps five levels of attributes; an item has three above them. */
  depth: 8,
  /** Values of an item. */
  values: 2_000,
};

/** Members of an item without which it would be another event: to whom it goes, and to what it belongs. */
const ESSENTIAL = ['kind', 'scope', 'id', 'name', 'targets', 'trace', 'user', 'tags'];

/** Tried in their order: long values go first, then deep ones. An event with its texts cut says more than none. */
const STAGES: readonly Budget[] = [
  { longest: limits.text, members: limits.members, depth: limits.depth, values: limits.values },
  { longest: 1024, members: 64, depth: limits.depth, values: 1_000 },
  { longest: 200, members: 32, depth: 5, values: 200 },
  { longest: 50, members: 16, depth: 2, values: 100 },
];

/** The last resort keeps the item's own texts and numbers, and what is essential. */
const LEAST: Budget = { longest: 20, members: 8, depth: 2, values: 0 };

/**
 * Encodes an item as a JSON object of at most `limits.item` characters. Its own texts and numbers, and its targets, are always there.
 * Empty if nothing of it can be kept.
 */
export function toJson(item: object): string {
  for (const stage of [...STAGES, LEAST]) {
    const text = encode(item, { ...stage });
    if (text.length <= limits.item) return text === '{}' ? '' : text;
  }
  return '';
}

/** Settings, facts and spans: an object that is never cut down to nothing. */
export function objectToJson(value: object): string {
  return toJson(value) || '{}';
}

function encode(item: object, budget: Budget): string {
  // What is essential is small, and an id that is cut is none.
  const essential = { ...budget, values: limits.members, longest: Math.max(budget.longest, 64) };
  try {
    const out: Record<string, unknown> = {};
    const rest: [string, object][] = [];
    for (const name of own(item)) {
      const value = readable(item, name);
      if (typeof value === 'object' && value !== null) rest.push([name, value]);
      else put(out, name, plain(value, ESSENTIAL.includes(name) ? essential : budget, 1, [item]), budget);
    }
    for (const [name, value] of rest) {
      const share = ESSENTIAL.includes(name) ? { ...essential } : budget;
      if (share.values > 0) put(out, name, plain(value, share, 1, [item]), budget);
    }
    return JSON.stringify(out);
  } catch {
    return '{}';
  }
}

/** The names of the item's own members, the essential ones first. */
function own(item: object): string[] {
  const names = Object.keys(item);
  if (names.length <= limits.own) return names;
  return [...names.filter((name) => ESSENTIAL.includes(name)), ...names].slice(0, limits.own);
}

interface Budget {
  longest: number;
  members: number;
  depth: number;
  values: number;
}

/** A copy that JSON holds exactly. Undefined: the member is left out. */
function plain(value: unknown, budget: Budget, depth: number, above: object[]): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > budget.longest ? cut(value, budget.longest) : value;
    case 'number':
      // Text, so that it is seen: JSON would say null, which is absent.
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
      return value.toString();
    case 'symbol':
      return '[Symbol]';
    case 'function':
      return '[Function]';
    default:
      return value === null ? null : object(value as object, budget, depth, above);
  }
}

function object(value: object, budget: Budget, depth: number, above: object[]): unknown {
  if (above.includes(value)) return '[Circular]';
  if (depth >= budget.depth) return '[too deep]';
  above.push(value);
  try {
    if (Array.isArray(value)) return list(value, budget, depth, above);
    // Most objects are plain, and none of the checks below can apply to those.
    if (Object.getPrototypeOf(value) === Object.prototype) return members(value, budget, depth, above);
    const text = asText(value);
    if (text !== undefined) return plain(text, budget, depth, above);
    if (value instanceof Map) return pairs(value, budget, depth, above);
    if (value instanceof Set) return list([...value], budget, depth, above);
    return members(value, budget, depth, above);
  } catch {
    // A proxy or a getter of the object itself.
    return '[unreadable]';
  } finally {
    above.pop();
  }
}

function list(values: readonly unknown[], budget: Budget, depth: number, above: object[]): unknown[] {
  const out: unknown[] = [];
  const end = Math.min(values.length, budget.members);
  for (let at = 0; at < end && budget.values-- > 0; at++) {
    const one = plain(readable(values, at), budget, depth + 1, above);
    out.push(one === undefined ? null : one);
  }
  return out;
}

function members(value: object, budget: Budget, depth: number, above: object[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  let left = budget.members;
  for (const name of Object.keys(value)) {
    if (left-- <= 0 || budget.values-- <= 0) break;
    put(out, name, plain(readable(value, name), budget, depth + 1, above), budget);
  }
  return out;
}

function pairs(map: Map<unknown, unknown>, budget: Budget, depth: number, above: object[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  let left = budget.members;
  for (const [name, value] of map) {
    if (left-- <= 0 || budget.values-- <= 0) break;
    put(out, describe(name), plain(value, budget, depth + 1, above), budget);
  }
  return out;
}

function put(out: Record<string, unknown>, name: string, value: unknown, budget: Budget): void {
  if (value === undefined) return;
  const short = name.length > budget.longest ? cut(name, budget.longest) : name;
  if (short !== '__proto__') out[short] = value;
  // `out.__proto__ = value` would change the object instead.
  else Object.defineProperty(out, short, { value, enumerable: true, configurable: true, writable: true });
}

/** A member, or a word in its place if reading it throws. */
function readable(value: object, name: string | number): unknown {
  try {
    return (value as Record<string | number, unknown>)[name];
  } catch {
    return '[unreadable]';
  }
}

/** Objects that stand for one value. */
function asText(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof Error) return describe(value);
  if (value instanceof RegExp) return value.toString();
  if (value instanceof String || value instanceof Number || value instanceof Boolean) return String(value);
  if (typeof ArrayBuffer !== 'undefined' && (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)) {
    return `[${value.byteLength} bytes]`;
  }
  return undefined;
}

/** Any value as a text. Never throws. */
export function describe(value: unknown): string {
  try {
    if (typeof value === 'string') return value;
    if (typeof value === 'symbol') return value.toString();
    if (value instanceof Error) return `${value.name}: ${value.message}`;
    return String(value);
  } catch {
    return '[unreadable]';
  }
}

/** The first characters of a text, with an ellipsis. Never ends between the two halves of a surrogate pair. */
export function cut(text: string, length: number): string {
  const last = text.charCodeAt(length - 2);
  const end = last >= 0xd800 && last <= 0xdbff ? length - 2 : length - 1;
  return `${text.slice(0, end)}…`;
}
