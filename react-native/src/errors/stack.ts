/**
 * Parses the stack texts of Hermes, JavaScriptCore and V8.
 *
 * | engine | a line |
 * | --- | --- |
 * | Hermes, source | `at pay (http://10.0.2.2:8081/index.bundle?platform=android:12:7)`, `at map (native)` |
 * | Hermes, bytecode | `at pay (address at index.android.bundle:1:767)` |
 * | JavaScriptCore | `pay@http://localhost:8081/index.bundle:12:7`, `map@[native code]`, `file:///app/main.jsbundle:12:7` |
 * | V8 | `at new Cart (/app/cart.js:3:26)`, `at async /app/cart.js:3:26`, `at Array.map (<anonymous>)` |
 *
 * A line is read once from its end, without regular expressions: the time is linear whatever the text is.
 */
import type { Frame } from '../core/items';
import { isBundle, makeFrame, type Place } from './frame';
import { limits } from './limits';

/** Characters behind the message that are searched for frames: 50 frames with their longest lines. */
const SEARCHED = 256 * 1024;
/** A longer line is no frame. */
const LINE = 4096;

/**
 * The frames of a stack, outermost first, as a batch lists them; at most the innermost 50. Empty if the text has none.
 *
 * `message` is that of the error. Its lines are part of the text of Hermes and V8; given, none of them is taken for a frame.
 */
export function parseStack(text: string, message = ''): Frame[] {
  const frames: Frame[] = [];
  if (typeof text !== 'string' || typeof message !== 'string') return frames;
  let at = afterMessage(text, message);
  const last = Math.min(text.length, at + SEARCHED);
  while (at < last && frames.length < limits.frames) {
    const found = text.indexOf('\n', at);
    const end = found < 0 ? text.length : found;
    const frame = end - at <= LINE ? parseLine(text.slice(at, end).trim()) : undefined;
    if (frame !== undefined) frames.push(frame);
    at = end + 1;
  }
  return frames.reverse();
}

/** Where the frames begin: behind `message`, or behind `Name: message`; 0 if the text has no message. The name may contain colons. */
export function afterMessage(text: string, message: string): number {
  if (message === '') return 0;
  const head = text.slice(0, 300);
  let start = 0;
  for (let tries = 0; tries < 5; tries++) {
    const end = start + message.length;
    const isWhole = end === text.length || text.charAt(end) === '\n';
    if (isWhole && text.startsWith(message, start)) return end;
    const colon = head.indexOf(': ', start);
    if (colon < 0) return 0;
    start = colon + 2;
  }
  return 0;
}

function parseLine(line: string): Frame | undefined {
  return line.startsWith('at ') ? parseAt(line.slice(3)) : parseJsc(line);
}

/** A line of Hermes or V8 without its `at`: `name (location)` or `location`. */
function parseAt(line: string): Frame | undefined {
  const call = line.startsWith('async ') ? line.slice(6) : line;
  if (call.endsWith(')')) {
    // The location may hold parentheses: `app/(tabs)/index.tsx`. A name may: `a (b)`.
    const evaluated = call.indexOf(' (eval at ');
    const between = evaluated < 0 ? call.lastIndexOf(') (') : -1;
    const open = evaluated >= 0 ? evaluated : between >= 0 ? between + 1 : call.indexOf(' (');
    if (open >= 0) return located(call.slice(0, open), call.slice(open + 2, -1));
  }
  const place = parsePlace(call);
  return place && makeFrame('', place);
}

function located(name: string, location: string): Frame | undefined {
  if (isEngine(location)) return makeFrame(name);
  const place = parsePlace(location.startsWith('eval at ') ? evalOrigin(location) : location);
  return place && makeFrame(name, place);
}

function isEngine(location: string): boolean {
  return (
    location === 'native' ||
    location === '<anonymous>' ||
    location === '[native code]' ||
    (location.startsWith('index ') && digits(location, 6, location.length) >= 0)
  );
}

/** The place in a file of `eval at f (eval at g (file:1:2)), <anonymous>:3:4`. */
function evalOrigin(location: string): string {
  const end = location.indexOf('), ');
  const inner = end < 0 ? location : location.slice(0, end);
  let last = inner.length;
  while (inner.charAt(last - 1) === ')') last--;
  return inner.slice(inner.lastIndexOf(' (', last) + 2, last);
}

/** A line of JavaScriptCore: `name@location`, `@location` or `location`. */
function parseJsc(line: string): Frame | undefined {
  const mark = line.indexOf('@');
  const before = mark < 0 ? '' : line.slice(0, mark);
  // An `@` behind a slash belongs to the path: `node_modules/@scope/x.js`.
  const isNamed = mark >= 0 && before.indexOf('/') < 0 && before.indexOf(':') < 0;
  const location = isNamed ? line.slice(mark + 1) : line;
  const name = isNamed ? before : '';
  if (location === '[native code]') return makeFrame(name);
  const place = parsePlace(location);
  return place && isFile(place.file) ? makeFrame(name, place) : undefined;
}

/** Whether the text in front of a position is a file: a line of prose such as `me@host:25:1` is none. */
function isFile(file: string): boolean {
  if (file.startsWith('/')) return true;
  const scheme = file.indexOf('://');
  if (scheme > 0) return file.lastIndexOf(' ', scheme) < 0;
  return isBundle(file) || file.endsWith('.js');
}

/** `file:line:column`. The file may contain colons. */
function parsePlace(location: string): Place | undefined {
  const second = location.lastIndexOf(':');
  const first = second > 0 ? location.lastIndexOf(':', second - 1) : -1;
  const line = digits(location, first + 1, second);
  const column = digits(location, second + 1, location.length);
  if (first <= 0 || line < 0 || column < 0) return undefined;
  const isBytecode = location.startsWith(ADDRESS);
  const file = location.slice(isBytecode ? ADDRESS.length : 0, first);
  return file === '' ? undefined : { file, line, column, isBytecode };
}

const ADDRESS = 'address at ';

/** A number of 32 bits, as the engine keeps it; -1 if the text is none. */
function digits(text: string, from: number, to: number): number {
  if (to <= from || to - from > 10) return -1;
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number <= 0xffff_ffff ? number : -1;
}
