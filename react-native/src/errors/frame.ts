/** One frame of a stack: what is kept of its location, and whether it is the app's own code. */
import type { Frame } from '../core/items';
import { cutText, limits } from './limits';

/** A place in a source file or a bundle. */
export interface Place {
  file: string;
  line: number;
  column: number;
  /** Whether the file is bytecode: its column is then an offset in bytes. */
  isBytecode: boolean;
}

/** A frame of a function; without a place it is a function of the engine. */
export function makeFrame(name: string, place?: Place): Frame {
  const frame: Frame = {};
  const known = functionName(name);
  if (known !== '') frame.function = cutText(known, limits.place);
  if (place === undefined) {
    frame.in_app = false;
    return frame;
  }
  const file = cleanFile(place);
  if (file !== '') frame.file = cutText(file, limits.place);
  frame.line = place.line;
  frame.column = place.column;
  frame.in_app = isInApp(file);
  return frame;
}

/** Engines write different words for a function without a name, and V8 adds the name of the member that was called. */
function functionName(name: string): string {
  const alias = name.endsWith(']') ? name.lastIndexOf(' [as ') : -1;
  const known = (alias < 0 ? name : name.slice(0, alias)).trim();
  return known === '<anonymous>' || known === 'anonymous' || known === '?' ? '' : known;
}

/**
 * The file without what is private or differs from device to device: a bundle in the app's folder becomes `app:///main.jsbundle`,
 * the name by which servers find its source map.
 */
function cleanFile({ file: raw, isBytecode }: Place): string {
  // The whole program stands in such a URL.
  if (raw.startsWith('data:')) return 'data:';
  if (raw.startsWith('<')) return '';
  const file = withoutPassword(withoutQuery(raw));
  const base = file.slice(file.lastIndexOf('/') + 1);
  if (base === INTERNAL_BYTECODE) return base;
  const isLocal = file.startsWith('file://') || file.indexOf('://') < 0;
  return isLocal && (isBytecode || isBundle(file)) ? `app:///${base}` : file;
}

const INTERNAL_BYTECODE = 'InternalBytecode.js';

function withoutQuery(file: string): string {
  // Metro writes `//&` instead of `?` in URLs for JavaScriptCore, which removes queries.
  const marks = file.indexOf('://') < 0 ? ['?', '//&'] : ['?', '//&', '#'];
  let end = file.length;
  for (const mark of marks) {
    const at = file.indexOf(mark);
    if (at >= 0 && at < end) end = at;
  }
  return file.slice(0, end);
}

function withoutPassword(file: string): string {
  const scheme = file.indexOf('://');
  if (scheme < 0) return file;
  const host = scheme + 3;
  const path = file.indexOf('/', host);
  const at = file.lastIndexOf('@', path < 0 ? file.length : path);
  return at < host ? file : file.slice(0, host) + file.slice(at + 1);
}

/** Whether the file is a bundle, whose path says nothing about whose code it holds: Expo's is `node_modules/expo/AppEntry.bundle`. */
export function isBundle(file: string): boolean {
  return file.endsWith('.bundle') || file.endsWith('.jsbundle') || file.endsWith('.hbc');
}

const FOREIGN = ['node_modules/', 'node_modules\\', '/react-native/Libraries/', '/react-native/src/private/'];
const ENGINE = ['node:', 'internal/', 'native '];

function isInApp(file: string): boolean {
  if (file === '' || file === INTERNAL_BYTECODE) return false;
  if (isBundle(file)) return true;
  return !ENGINE.some((start) => file.startsWith(start)) && !FOREIGN.some((part) => file.indexOf(part) >= 0);
}
