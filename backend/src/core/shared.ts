/**
 * One state for the whole process.
 *
 * The package is built twice (CommonJS and ES), and an app can install two copies: they meet in a symbol of the global object.
 */

const KEY = Symbol.for('app.rez.monitor-node');

/** What a part of the package keeps, made at the first call. */
export function shared<T extends object>(name: string, make: () => T): T {
  const all = globalThis as { [KEY]?: Record<string, object> };
  all[KEY] ??= {};
  const kept = all[KEY];
  kept[name] ??= make();
  return kept[name] as T;
}
