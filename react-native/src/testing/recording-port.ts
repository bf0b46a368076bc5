/** A native side for unit tests that keeps what it is given. Tests of the engine itself use the real one (`engine-tests`). */
import { noPort, type Port } from '../native/port';

export type RecordedItem = Record<string, unknown>;

export interface RecordingPort extends Port {
  /** Documents of `recordBatch`, in order. */
  documents: string[];
  /** Documents of `recordFatal`. */
  fatals: string[];
  /** The other calls, in order: the name and the arguments. */
  calls: [string, ...unknown[]][];
  /** All items of all documents. */
  items(): RecordedItem[];
}

/** `answers` replaces methods. */
export function recordingPort(answers: Partial<Port> = {}): RecordingPort {
  const port = {
    documents: [] as string[],
    fatals: [] as string[],
    calls: [] as [string, ...unknown[]][],
    items: () => port.documents.flatMap((document) => (JSON.parse(document) as { items: RecordedItem[] }).items),
  } as RecordingPort;
  const defaults: Partial<Port> = {
    open: () => '{"seed":"000102030405060708090a0b0c0d0e0f","joined":false}',
    recordBatch: (document) => port.documents.push(document) > 0,
    recordFatal: (document) => port.fatals.push(document) > 0,
    setConsent: () => true,
    forgetUser: () => true,
    addDestinations: () => '',
    pauseDestination: () => '',
    resumeDestination: () => '',
    removeDestination: () => '',
    setRelease: () => '',
    flush: () => Promise.resolve('{"destinations":[]}'),
    persist: () => Promise.resolve(''),
    lastRun: () => Promise.resolve('null'),
    testCrash: () => '',
    inspect: () => Promise.resolve('{"events":[],"before":null}'),
  };
  for (const name of Object.keys(noPort) as (keyof Port)[]) {
    const answer = (answers[name] ?? defaults[name] ?? noPort[name]) as (...args: unknown[]) => unknown;
    (port as unknown as Record<string, unknown>)[name] = (...args: unknown[]) => {
      if (name !== 'recordBatch' && name !== 'recordFatal') port.calls.push([name, ...args]);
      return answer(...args);
    };
  }
  return port;
}

/** A clock that only the test moves. */
export function manualClock(wallMs = 1_795_400_000_000) {
  return {
    wall: wallMs,
    mono: 1_000,
    wallMs() {
      return this.wall;
    },
    monoMs() {
      return this.mono;
    },
    advance(ms: number) {
      this.wall += ms;
      this.mono += ms;
    },
  };
}

/** Numbers of a seed, for property tests (mulberry32). Print the seed when a test fails. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
