/**
 * Remembers which errors were reported. One error often arrives twice: an error boundary reports it, then React gives it to the
 * global handler. The marks are the app's, so that two copies of the package in one bundle share them.
 */
import { hasOwn, isObject } from './read';

const KEY = Symbol.for('app.rez.monitor.reported');

/** Marks an error as reported. False: a value that cannot be marked, such as a text. The error itself is not changed. */
export function markReported(error: unknown): boolean {
  if (!isObject(error)) return false;
  try {
    const set = marks();
    if (set !== undefined) {
      set.add(error);
      return true;
    }
    // An engine without WeakSet. A frozen object refuses.
    Object.defineProperty(error, KEY, { value: true });
    return true;
  } catch {
    return false;
  }
}

/** Whether this very error was marked. An error that has it as a cause is another error. */
export function wasReported(error: unknown): boolean {
  if (!isObject(error)) return false;
  try {
    const set = marks();
    return set === undefined ? hasOwn(error, KEY) : set.has(error);
  } catch {
    return false;
  }
}

let ownMarks: WeakSet<object> | undefined;

function marks(): WeakSet<object> | undefined {
  if (typeof WeakSet !== 'function') return undefined;
  const all = globalThis as { [KEY]?: WeakSet<object> };
  const known = all[KEY] ?? ownMarks;
  if (known !== undefined) return known;
  ownMarks = new WeakSet();
  try {
    Object.defineProperty(all, KEY, { value: ownMarks });
  } catch {
    // A frozen global object: each copy of the package then has its own marks.
  }
  return ownMarks;
}
