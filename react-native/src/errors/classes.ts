/** What a thrown value is, by its classes and members. Nothing here throws. */
import { hasOwn, isObject, read, readText } from '../core/read';

/** Classes that say nothing: Babel puts `Wrapper` between a subclass of a built-in class and the class itself. */
const NAMELESS = ['Object', 'Wrapper'];

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
