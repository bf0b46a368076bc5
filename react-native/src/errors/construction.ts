/**
 * Removes the frames in which an error was made.
 *
 * Babel's classes make an error through helper functions, whose frames Hermes puts on top of the place that threw: the innermost
 * frame, by which servers group, would be the same for every error of a class. V8 leaves them out, except the constructor.
 */
import type { Frame } from '../core/items';
import { classNames } from './classes';

const HELPERS = [
  'Wrapper',
  '_construct',
  '_callSuper',
  '_createSuperInternal',
  '_super',
  'construct',
  'apply',
  'Reflect.construct',
];
/** Helpers of these names are Babel's alone. An app has functions named `apply`. */
const SURE = ['_construct', '_callSuper', '_createSuperInternal'];

/** The frames, outermost first, without those of Babel's helpers and of the error's constructors at the inner end. */
export function withoutConstruction(frames: Frame[], error: object): Frame[] {
  const names = frames.map((frame) => withoutNew(frame.function ?? ''));
  const constructors = classNames(error);
  let kept = frames.length;
  let isSure = false;
  while (kept > 0) {
    const name = names[kept - 1] ?? '';
    if (!HELPERS.includes(name) && !constructors.includes(name)) break;
    isSure = isSure || SURE.includes(name);
    kept--;
  }
  return isSure && kept > 0 ? frames.slice(0, kept) : frames;
}

function withoutNew(name: string): string {
  return name.startsWith('new ') ? name.slice(4) : name;
}
