/** Whatever an app calls, in any order, with any engine beneath: nothing is thrown into it, and nothing is left behind. */
import { close, init } from '../src';
import { carrier } from '../src/core/carrier';
import { read } from '../src/core/read';
import type { Port } from '../src/native/port';
import { newEngine, newFolder, settings } from './addon';
import { newClient } from './client';
import { publicCalls } from './entries';
import { anything, BAD, numbers, SEED } from './hostile';

jest.mock('react-native', () => require('./neighbours/platform').reactNative);

type Handler = (error: unknown, isFatal?: boolean) => void;
let handler: Handler = () => undefined;
const first = handler;

Object.assign(globalThis, {
  XMLHttpRequest: (require('xhr2') as { XMLHttpRequest: unknown }).XMLHttpRequest,
  ErrorUtils: {
    getGlobalHandler: () => handler,
    setGlobalHandler: (next: Handler) => {
      handler = next;
    },
  },
});

// Node makes many of its globals when they are read for the first time.
for (const name of Reflect.ownKeys(globalThis)) read(globalThis, name);

/** Every global, and what lies in those that a package might replace. */
function globals(): [string, unknown][] {
  const scope = globalThis as unknown as Record<string, object>;
  const deep = ['console', 'XMLHttpRequest', 'ErrorUtils', 'Promise', 'AbortController'] as const;
  const members = (name: string, of: object | undefined) =>
    of ? Reflect.ownKeys(of).map((key): [string, unknown] => [`${name}.${String(key)}`, held(of, key)]) : [];
  return [
    ...members('globalThis', globalThis).filter(([name]) => !name.includes('app.rez.monitor')),
    ...deep.flatMap((name) => members(name, scope[name])),
    ...members('XMLHttpRequest.prototype', (scope.XMLHttpRequest as { prototype?: object })?.prototype),
    ['handler', handler],
  ];
}

function held(of: object, key: PropertyKey): unknown {
  const { get, value } = Object.getOwnPropertyDescriptor(of, key) ?? {};
  return get ?? value;
}

/** An engine that answers with anything, of any type. */
function garbage(random: () => number): Port {
  const answers = [
    () => anything(random),
    () => '{"seed":5}',
    () => '[[]]',
    () => '{"destinations":7,"status":[],"lines":3,"error":{}}',
    () => Promise.reject(new Error('no')),
    () => Promise.resolve(Symbol('s')),
    () => [undefined],
  ];
  const answer = () => (answers[Math.floor(random() * answers.length)] as () => unknown)();
  return new Proxy({} as Port, { get: () => answer });
}

const throwing = () =>
  new Proxy({} as Port, {
    get: () => () => {
      throw new Error('the bridge');
    },
  });

const ENGINES: Record<string, (random: () => number) => Port | null> = {
  'that throws': throwing,
  'whose methods throw when they are read': () =>
    new Proxy({} as Port, {
      get: () => {
        throw new Error('the bridge');
      },
    }),
  'that answers garbage': garbage,
  'that is absent': () => null,
  'that is real': () => {
    const engine = newEngine();
    const folder = newFolder();
    // Whatever the app passes, this engine is in a folder of the test.
    const open = (given: string, facts: string) =>
      engine.open(JSON.stringify({ ...JSON.parse(given), ...JSON.parse(settings(folder)) }), facts);
    return new Proxy(engine, {
      get: (target, name) => (name === 'open' ? open : (Reflect.get(target, name) as () => unknown).bind(target)),
    });
  },
};

/** Its contract is to throw. */
const THROWS = 'guide.handleNetworkError';

const calls = publicCalls();

async function survives({ name, call }: (typeof calls)[number], args: unknown[]): Promise<void> {
  try {
    const answer = call(...args);
    // What is waited for ends with the engine, not with the test.
    if (typeof read(answer, 'then') === 'function') await answer;
  } catch (error) {
    if (name === THROWS && (error as Error).name === 'AppError') return;
    throw new Error(`${name} threw ${String(error)} (seed ${SEED})`);
  }
}

beforeEach(() => {
  for (const method of ['warn', 'error', 'log', 'info', 'debug'] as const) {
    jest.spyOn(console, method).mockImplementation(() => undefined);
  }
});
afterEach(async () => {
  await close(0);
  jest.restoreAllMocks();
});

test('the calls of all entries are found', () => {
  const names = calls.map(({ name }) => name);
  expect(names.length).toBeGreaterThan(200);
  for (const one of ['main.init', 'main.people.set', 'main.Span.finish', 'sentry.init', 'datadog.datadogRum.init']) {
    expect(names).toContain(one);
  }
  for (const one of ['firebase.logEvent', 'mixpanel.Mixpanel.track', 'guide.analyticsService.logEvent', THROWS]) {
    expect(names).toContain(one);
  }
});

describe.each(Object.entries(ENGINES))('an engine %s', (_, make) => {
  test(`no call in any order throws, and close leaves no global behind (seed ${SEED})`, async () => {
    const random = numbers(1);
    const before = globals();
    for (let round = 0; round < 8; round++) {
      newClient({ port: make(random) });
      if (random() < 0.5) init({ consent: { monitoring: 'granted', analytics: 'granted' } });
      for (let step = 0; step < 250; step++) {
        const one = calls[Math.floor(random() * calls.length)] as (typeof calls)[number];
        await survives(
          one,
          Array.from({ length: Math.floor(random() * 5) }, () => anything(random)),
        );
      }
      await close(0);
      expect(handler).toBe(first);
      expect(changed(before, globals())).toEqual([]);
      expect(carrier().undo).toEqual([]);
    }
  });

  test('each call of each entry survives each bad value, alone and behind texts, at once', async () => {
    newClient({ port: make(numbers(2)) });
    init({ consent: { monitoring: 'granted', analytics: 'granted' } });
    for (const one of calls) {
      if (one.name === 'main.close') continue;
      for (const bad of Object.values(BAD).map((value) => value())) {
        await survives(one, [bad, bad]);
        await survives(one, ['text', bad, bad]);
      }
      // What one call has changed, such as a hook or a pause, is not the matter of the next.
      if (/init|configure|close/i.test(one.name)) {
        await close(0);
        newClient({ port: make(numbers(2)) });
        init({ consent: { monitoring: 'granted', analytics: 'granted' } });
      }
    }
    await close(0);
  });
});

/** The names whose values differ. */
function changed(before: [string, unknown][], after: [string, unknown][]): string[] {
  const known = new Map(before);
  const now = new Map(after);
  return [...new Set([...known.keys(), ...now.keys()])].filter((name) => !Object.is(known.get(name), now.get(name)));
}

test('a global that stays replaced is noticed', () => {
  const before = globals();
  const { fetch } = globalThis;
  globalThis.fetch = (() => undefined) as never;
  expect(changed(before, globals())).toEqual(['globalThis.fetch']);
  globalThis.fetch = fetch;
  expect(changed(before, globals())).toEqual([]);
});
