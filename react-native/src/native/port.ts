/** The engine as the rest of the package sees it: found once, guarded, never absent. */
// The extension keeps the declaration out of the choice between platforms, which Node.js does not know.
import type { Spec } from '../specs/NativeRezMonitor.js';

/** The methods of the native module, without what React Native adds to it. */
export type Port = Omit<Spec, 'getConstants'>;

/** What a developer reads where the native module is missing. */
export const NO_ENGINE_TEXT =
  'the native module RezMonitor is missing, so nothing is recorded: rebuild the app with its native code; Expo Go and web pages have none';

/** Answers of a host without an engine: nothing is recorded, and each question gets the answer of a closed engine. */
export const noPort: Port = {
  open: () => JSON.stringify({ error: NO_ENGINE_TEXT }),
  recordBatch: () => false,
  recordFatal: () => false,
  setConsent: () => false,
  forgetUser: () => false,
  setForeground: () => false,
  newSession: () => false,
  setFacts: () => NO_ENGINE_TEXT,
  setConditions: () => NO_ENGINE_TEXT,
  setRelease: () => NO_ENGINE_TEXT,
  addDestinations: () => NO_ENGINE_TEXT,
  removeDestination: () => NO_ENGINE_TEXT,
  pauseDestination: () => NO_ENGINE_TEXT,
  resumeDestination: () => NO_ENGINE_TEXT,
  traceHeaders: () => '{}',
  status: () => '',
  metrics: () => '[]',
  clearMetrics: () => false,
  takeLog: () => '[]',
  persist: () => Promise.resolve(NO_ENGINE_TEXT),
  flush: () => Promise.resolve(JSON.stringify({ error: NO_ENGINE_TEXT })),
  why: () => Promise.resolve(JSON.stringify({ error: NO_ENGINE_TEXT })),
  inspect: () => Promise.resolve(JSON.stringify({ error: NO_ENGINE_TEXT })),
  lastRun: () => Promise.resolve(JSON.stringify({ error: NO_ENGINE_TEXT })),
  testCrash: () => NO_ENGINE_TEXT,
  close: () => Promise.resolve(''),
};

/**
 * Calls the engine. A native side that throws, or answers with something else than its type, gives the answer of a closed engine:
 * nothing of it reaches the app.
 */
export function guardedPort(port: Port): Port {
  const guarded = { ...noPort } as Record<string, (...args: never[]) => unknown>;
  for (const name of Object.keys(noPort) as (keyof Port)[]) {
    const otherwise = noPort[name] as (...args: unknown[]) => unknown;
    guarded[name] = (...args: unknown[]) => {
      try {
        const method = port[name] as ((...args: unknown[]) => unknown) | undefined;
        const answer = method?.apply(port, args);
        const expected = otherwise();
        if (typeof answer === typeof expected && typeof answer !== 'object') return answer;
        // A promise in the place of a plain answer is waited for too: its rejection would reach the app.
        const settled = Promise.resolve(answer).then(
          (text) => (typeof text === 'string' ? text : expected),
          () => expected,
        );
        return expected instanceof Promise ? settled : expected;
      } catch {
        return otherwise();
      }
    };
  }
  return guarded as unknown as Port;
}
