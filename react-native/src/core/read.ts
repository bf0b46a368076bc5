/** Reads values of the app: getters throw, proxies refuse, prototypes are missing. Nothing here throws. */

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

/** A member that is a finite number; 0 if it is none. */
export function readNumber(value: unknown, name: PropertyKey): number {
  const number = read(value, name);
  return typeof number === 'number' && Number.isFinite(number) ? number : 0;
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
