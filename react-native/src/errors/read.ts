/** Reads values that an app throws: getters throw, proxies refuse, prototypes are missing. Nothing here throws. */

/** Classes that say nothing: Babel puts `Wrapper` between a subclass of a built-in class and the class itself. */
const NAMELESS = ['Object', 'Wrapper'];

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** A member; undefined if it is missing or reading it throws. */
export function read(value: unknown, name: PropertyKey): unknown {
  if (!isObject(value)) return undefined;
  try {
    return (value as Record<PropertyKey, unknown>)[name];
  } catch {
    return undefined;
  }
}

/** A member that is a text; empty if it is none. */
export function readText(value: unknown, name: PropertyKey): string {
  const text = read(value, name);
  return typeof text === 'string' ? text : '';
}

export function hasOwn(value: object, name: PropertyKey): boolean {
  try {
    return Object.getOwnPropertyDescriptor(value, name) !== undefined;
  } catch {
    return false;
  }
}

/** The first elements of a list; empty if the value is none. */
export function readList(value: unknown, most: number): unknown[] {
  const out: unknown[] = [];
  try {
    if (!Array.isArray(value)) return out;
  } catch {
    return out;
  }
  const length = read(value, 'length');
  const end = typeof length === 'number' ? Math.min(length, most) : 0;
  for (let at = 0; at < end; at++) out.push(read(value, at));
  return out;
}

/** Whether a value is an error, also of another realm, or has the members of one. */
export function isErrorLike(value: unknown): value is object {
  if (!isObject(value)) return false;
  try {
    if (value instanceof Error) return true;
    const tag = Object.prototype.toString.call(value);
    if (tag === '[object Error]' || tag === '[object DOMException]') return true;
  } catch {
    return false;
  }
  const isNamed = typeof read(value, 'name') === 'string' || typeof read(value, 'stack') === 'string';
  return isNamed && typeof read(value, 'message') === 'string' && typeof value !== 'function';
}

/** The class of a value and those above it, nearest first. */
export function classNames(value: object): string[] {
  const names: string[] = [];
  let at: unknown = value;
  // A proxy can answer with ever new prototypes.
  for (let depth = 0; depth < 10; depth++) {
    try {
      at = Object.getPrototypeOf(at);
    } catch {
      break;
    }
    if (!isObject(at)) break;
    const name = hasOwn(at, 'constructor') ? readText(read(at, 'constructor'), 'name') : '';
    if (name !== '' && !NAMELESS.includes(name)) names.push(name);
  }
  return names;
}
