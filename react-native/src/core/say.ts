/** What the package says to a developer: one line each, in debug builds. */
import { isDevelopment } from './development';

const said = new Set<string>();
let isDebug: boolean | undefined;

/** Whether lines are printed. Default: `__DEV__`. */
export function setDebug(debug: boolean | undefined): void {
  isDebug = debug;
}

/** Whether this is a debug build, or `debug` is set. */
export function debug(): boolean {
  return isDebug ?? isDevelopment();
}

/** Prints a line once, in debug builds. */
export function say(text: string): void {
  if (debug()) print(text);
}

/** Prints a line once, also in a release build: the answer to a call that would show something and cannot. */
export function sayAlways(text: string): void {
  if (isDebug !== false) print(text);
}

function print(text: string): void {
  // A text that changes with each call would fill memory.
  if (said.has(text) || said.size >= 200) return;
  said.add(text);
  try {
    console.warn(`[rez] ${text}`);
  } catch {
    // A console that another library has replaced.
  }
}
