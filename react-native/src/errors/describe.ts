/** Type and message of a thrown value, whatever it is. */

import { hasOwn, read, readList, readText } from '../core/read';
import { classNames, isErrorLike } from './classes';
import { cutText, limits } from './limits';

export interface Description {
  type: string;
  message: string;
}

/** The type of a thrown value that is no object. */
const NON_ERROR = 'NonError';
const BUILT_IN = [
  'Error',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'AggregateError',
  'SuppressedError',
  'DOMException',
];

/** Type and message. A type is never empty. The texts are not cut. */
export function describe(thrown: unknown): Description {
  if (isErrorLike(thrown)) return { type: errorType(thrown), message: errorMessage(thrown) };
  switch (typeof thrown) {
    case 'object':
      return thrown === null ? { type: NON_ERROR, message: 'null' } : describeObject(thrown);
    case 'function':
      return { type: NON_ERROR, message: `function ${readText(thrown, 'name')}`.trim() };
    case 'bigint':
      return { type: NON_ERROR, message: `${thrown}n` };
    case 'string':
      return { type: NON_ERROR, message: thrown };
    default:
      return { type: NON_ERROR, message: String(thrown) };
  }
}

/**
 * The most telling name of an error. A name that the app has set comes first. A class of Babel often has the name `Error` by
 * inheritance; then its constructor tells more. A minified name changes with every build, so that the class above it is taken.
 */
function errorType(error: object): string {
  const name = readText(error, 'name');
  if (name !== '' && !isMinified(name) && !BUILT_IN.includes(name)) return name;
  if (name !== 'Error' && BUILT_IN.includes(name) && hasOwn(error, 'name')) return name;
  const known = classNames(error).find((one) => !isMinified(one));
  return known ?? (name === '' ? 'Error' : name);
}

function isMinified(name: string): boolean {
  return name.length <= 2;
}

function errorMessage(error: object): string {
  const message = read(error, 'message');
  if (typeof message === 'string') return message;
  return message === undefined || message === null ? '' : describeValue(message);
}

function describeValue(value: unknown): string {
  return typeof value === 'object' && value !== null ? describeKeys(value) : describe(value).message;
}

/** An object that is no error. Its values are not read: nobody knows how private they are. */
function describeObject(thrown: object): Description {
  const type = classNames(thrown).find((one) => !isMinified(one)) ?? 'Object';
  const message = readText(thrown, 'message');
  if (message !== '') return { type, message };
  if (typeof read(thrown, 'then') === 'function') return { type, message: 'A promise was thrown.' };
  return { type, message: describeKeys(thrown) };
}

function describeKeys(value: object): string {
  let keys: string[];
  try {
    if (Array.isArray(value)) return `An array of ${value.length} elements was thrown.`;
    keys = Object.keys(value);
  } catch {
    return 'An object that cannot be read was thrown.';
  }
  if (keys.length === 0) return 'An object without members was thrown.';
  // The first thousand are enough to tell objects apart; sorting a million would be felt.
  const sorted = readList(keys, 1000).sort() as string[];
  const shown = sorted.slice(0, limits.keys).map((key) => cutText(key, 60));
  const more = keys.length - shown.length;
  return `An object with the members ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''} was thrown.`;
}
