/**
 * What led to an error: its chain of causes, the members of an `AggregateError`, the errors of a `SuppressedError`, the stack of
 * components of React, the stack of a native module.
 *
 * They form a tree, listed in the order in which one reads it. Index 0 is the error, index `n` the n-th cause.
 */
import type { Cause, Frame } from '../core/items';
import { isObject, read, readList, readText } from '../core/read';
import { isErrorLike } from './classes';
import { withoutConstruction } from './construction';
import { describe } from './describe';
import { cutText, encodedBytes, limits } from './limits';
import { nativeStack } from './native-stack';
import { parseStack } from './stack';

interface Found {
  value: unknown;
  parent: number;
  source: string;
}

/** The causes of a thrown value, together at most `room` bytes: at most 10, each value once, so that a cycle ends. */
export function causesOf(thrown: unknown, componentFrames: Frame[], room: number): Cause[] {
  const list = new CauseList(room);
  if (componentFrames.length > 0) {
    list.add({ type: 'ComponentStack', message: '', parent: 0, source: 'componentStack' }, componentFrames);
  }
  list.addNative(thrown, 0);
  const seen: unknown[] = [thrown];
  // The next to visit is the last.
  const waiting = membersOf(thrown, 0).reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, parent, source } = next;
    if (isObject(value) && seen.includes(value)) continue;
    seen.push(value);
    const { type, message } = describe(value);
    const cause: Cause = {
      type: cutText(type, limits.name),
      message: cutText(message, limits.causeMessage),
      parent,
      source,
    };
    if (isGroup(value)) cause.group = true;
    if (!list.add(cause, framesOf(value, readText(value, 'stack'), message))) break;
    const index = list.causes.length;
    list.addNative(value, index);
    waiting.push(...membersOf(value, index).reverse());
  }
  return list.causes;
}

/** The frames of an error's stack, outermost first, without those that made the error. */
export function framesOf(error: unknown, stack: string, message: string): Frame[] {
  const frames = parseStack(stack, message);
  return isObject(error) ? withoutConstruction(frames, error) : frames;
}

/** Whether an error stands for several: an `AggregateError`, or what a library made in its place. */
export function isGroup(error: unknown): boolean {
  if (!isErrorLike(error)) return false;
  const members = readList(read(error, 'errors'), limits.causes);
  // Libraries that validate list texts under this name, which are no errors.
  return members.length > 0 && (describe(error).type === 'AggregateError' || members.every(isErrorLike));
}

function membersOf(error: unknown, parent: number): Found[] {
  const found: Found[] = [];
  if (!isErrorLike(error)) return found;
  const add = (value: unknown, source: string) => {
    // A `cause` that is a function is a method, of which there are libraries.
    if (value !== undefined && value !== null && typeof value !== 'function') found.push({ value, parent, source });
  };
  add(read(error, 'cause'), 'cause');
  if (describe(error).type === 'SuppressedError') {
    add(read(error, 'error'), 'error');
    add(read(error, 'suppressed'), 'suppressed[0]');
  }
  if (isGroup(error)) {
    for (const [at, member] of readList(read(error, 'errors'), limits.causes).entries()) add(member, `errors[${at}]`);
  }
  return found;
}

/** Causes within a limit of bytes. */
class CauseList {
  readonly causes: Cause[] = [];
  constructor(private room: number) {}

  /** False: there is no room for it. Of its frames the innermost that fit are kept. */
  add(cause: Cause, frames: Frame[]): boolean {
    let left = this.room - encodedBytes(cause);
    if (left < 0 && cause.message !== undefined) {
      cause.message = cutText(cause.message, limits.name);
      left = this.room - encodedBytes(cause);
    }
    if (left < 0 || this.causes.length >= limits.causes) return false;
    const kept = innermost(frames, limits.causeFrames, left);
    if (kept.length > 0) cause.frames = kept;
    this.room -= encodedBytes(cause);
    this.causes.push(cause);
    return true;
  }

  /** Adds the platform's own stack of an error, if it has one. */
  addNative(error: unknown, parent: number): void {
    const found = isErrorLike(error) ? nativeStack(error) : undefined;
    if (found !== undefined) {
      this.add({ type: 'NativeStack', message: '', parent, source: found.source }, found.frames);
    }
  }
}

/** The innermost frames, which stand last: at most `most`, together at most `bytes`. */
export function innermost(frames: Frame[], most: number, bytes: number): Frame[] {
  // The name of the member and its brackets.
  let left = bytes - 12;
  let first = frames.length;
  for (let at = frames.length - 1; at >= 0 && frames.length - at <= most; at--) {
    left -= encodedBytes(frames[at] as Frame) + 1;
    if (left < 0) break;
    first = at;
  }
  return frames.slice(first);
}
