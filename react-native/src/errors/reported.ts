/**
 * Remembers which errors were reported. One error often arrives twice: an error boundary reports it, then React gives it to the
 * global handler. The marks are the app's, so that two copies of the package in one bundle share them.
 */
import { isObject } from '../core/read';

const KEY = Symbol.for('app.rez.monitor.reported');

/**
 * Marks an error as reported by the event `id`. False: a value that cannot be marked, such as a text. The error itself is not changed.
 */
export function markReported(error: unknown, id = ''): boolean {
  if (!isObject(error)) return false;
  try {
    const map = marks();
    if (map !== undefined) {
      map.set(error, id);
      return true;
    }
    // An engine without WeakMap. A frozen object refuses.
    Object.defineProperty(error, KEY, { value: id, configurable: true, writable: true });
    return true;
  } catch {
    return false;
  }
}

/** Whether this very error was marked. An error that has it as a cause is another error. */
export function wasReported(error: unknown): boolean {
  return reportedAs(error) !== undefined;
}

/** The id of the event that has reported this very error; undefined if none has. */
export function reportedAs(error: unknown): string | undefined {
  if (!isObject(error)) return undefined;
  try {
    const map = marks();
    if (map !== undefined) return map.get(error);
    const mark: unknown = Object.getOwnPropertyDescriptor(error, KEY)?.value;
    return typeof mark === 'string' ? mark : undefined;
  } catch {
    return undefined;
  }
}

let ownMarks: WeakMap<object, string> | undefined;

function marks(): WeakMap<object, string> | undefined {
  if (typeof WeakMap !== 'function') return undefined;
  const all = globalThis as { [KEY]?: WeakMap<object, string> };
  const known = all[KEY] ?? ownMarks;
  if (known !== undefined) return known;
  ownMarks = new WeakMap();
  try {
    Object.defineProperty(all, KEY, { value: ownMarks });
  } catch {
    // A frozen global object: each copy of the package then has its own marks.
  }
  return ownMarks;
}
