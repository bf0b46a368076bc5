/** Ways to crash an app, for a look at what the next start makes of each. */
import { client } from '../core/carrier';

export interface Crash {
  name: string;
  text: string;
  /** What is seen afterwards. */
  next: string;
  /** Whether only the capture of native crashes sees it. */
  isNative: boolean;
  /** Does it. Returns what a developer reads if the app goes on. */
  make(): string;
}

const MESSAGE = 'A test crash of the inspector';

/** An error that is named in the queue as what it is. */
class InspectorError extends Error {
  override name = 'InspectorError';
}

function native(name: 'exception' | 'fault' | 'abort' | 'panic', text: string, next: string): Crash {
  const make = () => client().testCrash(name) || 'The app ends.';
  return { name, text, next, isNative: name !== 'exception', make };
}

export const CRASHES: readonly Crash[] = [
  {
    name: 'js',
    text: 'Error of JavaScript',
    next: 'A release build ends, and the next start shows a crash of the type InspectorError. A development build shows the red screen of React Native and goes on.',
    isNative: false,
    make() {
      // Outside of React, which would catch it.
      setTimeout(() => {
        throw new InspectorError(MESSAGE);
      });
      return 'Thrown.';
    },
  },
  {
    name: 'rejection',
    text: 'Rejected promise',
    next: 'No crash: the app goes on. The queue has an error of the type InspectorError, if `init` does not switch `rejections` off.',
    isNative: false,
    make() {
      void Promise.reject(new InspectorError(MESSAGE));
      return 'Rejected. The app goes on.';
    },
  },
  native(
    'exception',
    'Exception of the platform',
    'The next start shows a crash of the type IllegalStateException on Android, NSGenericException on iOS.',
  ),
  native('fault', 'Fault of native code', 'The next start shows a crash of the type SIGSEGV.'),
  native('abort', 'Abort of native code', 'The next start shows a crash of the type SIGABRT.'),
  native('panic', 'Panic of Rust', 'The next start shows a crash of the type SIGABRT, with the message of the panic.'),
];
