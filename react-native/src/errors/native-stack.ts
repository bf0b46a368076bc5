/**
 * Stacks of a native module. React Native puts them on the error with which it rejects the promise of a native call: a list of
 * `{class, methodName, file, lineNumber}` on Android, the lines of `callStackSymbols` on iOS. Both are innermost first.
 */
import type { Frame } from '../core/items';
import { read, readList, readText } from '../core/read';
import { cutText, limits } from './limits';

/** Frames of the platform's own stack, outermost first, and the member in which they were found. Undefined if there are none. */
export function nativeStack(error: object): { source: string; frames: Frame[] } | undefined {
  const java = readList(read(error, 'nativeStackAndroid'), limits.causeFrames).map(javaFrame);
  if (java.length > 0) return { source: 'nativeStackAndroid', frames: java.reverse() };
  const cocoa: Frame[] = [];
  for (const line of readList(read(error, 'nativeStackIOS'), limits.causeFrames)) {
    const frame = typeof line === 'string' ? cocoaFrame(line) : undefined;
    if (frame !== undefined) cocoa.push(frame);
  }
  return cocoa.length > 0 ? { source: 'nativeStackIOS', frames: cocoa.reverse() } : undefined;
}

const JAVA_PLATFORM = [
  'java.',
  'javax.',
  'kotlin.',
  'kotlinx.',
  'android.',
  'androidx.',
  'dalvik.',
  'com.android.',
  'com.facebook.',
];

function javaFrame(element: unknown): Frame {
  const owner = readText(element, 'class');
  const line = read(element, 'lineNumber');
  const frame: Frame = {
    function: cutText(readText(element, 'methodName'), limits.place),
    module: cutText(owner, limits.name),
    file: cutText(readText(element, 'file'), limits.place),
    in_app: owner !== '' && !JAVA_PLATFORM.some((start) => owner.startsWith(start)),
    language: 'java',
  };
  // A native method has the line -2.
  if (typeof line === 'number' && line > 0 && line <= 0xffff_ffff) frame.line = Math.floor(line);
  return frame;
}

const COCOA_PLATFORM = [
  'lib',
  'dyld',
  'Foundation',
  'CoreFoundation',
  'UIKit',
  'GraphicsServices',
  'QuartzCore',
  'React',
  'hermes',
];

/** `3   RezApp   0x0000000102b8e8f4 -[Cart pay:] + 79` */
function cocoaFrame(line: string): Frame | undefined {
  const words = line
    .slice(0, 2048)
    .split(' ')
    .filter((word) => word !== '');
  const at = words.findIndex((word) => word.startsWith('0x'));
  const address = words[at];
  if (at < 2 || address === undefined) return undefined;
  const module = words.slice(1, at).join(' ');
  const offset = words.lastIndexOf('+');
  const symbol = words.slice(at + 1, offset > at ? offset : words.length).join(' ');
  return {
    function: cutText(symbol, limits.place),
    module: cutText(module, limits.name),
    address: cutText(address, limits.name),
    in_app: !COCOA_PLATFORM.some((start) => module.startsWith(start)),
    language: 'cocoa',
  };
}
