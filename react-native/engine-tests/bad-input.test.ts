/** Bad input on the real engine: recorded as well as can be, marked, never thrown back. */
import * as rez from '../src';
import { carrier } from '../src/core/carrier';
import { newEngine, newFolder, rowsOf, WAIT_MS } from './addon';
import { newClient } from './client';
import { BAD } from './hostile';

jest.mock('react-native', () => require('./neighbours/platform').reactNative);

type Json = Record<string, unknown>;

let folder: string;
let unhandled: (id: number, error: unknown) => void;
let uncaught: (error: unknown, isFatal?: boolean) => void;
let seen: unknown[];

beforeEach(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  seen = [];
  uncaught = (error) => seen.push(error);
  Object.assign(globalThis, {
    __DEV__: false,
    ErrorUtils: {
      getGlobalHandler: () => uncaught,
      setGlobalHandler: (next: typeof uncaught) => {
        uncaught = next;
      },
    },
    HermesInternal: {
      hasPromise: () => true,
      enablePromiseRejectionTracker: (options: { onUnhandled: typeof unhandled }) => {
        unhandled = options.onUnhandled;
      },
    },
  });
  folder = newFolder();
  newClient({ port: newEngine() });
  const consent = { monitoring: 'granted', analytics: 'granted' } as const;
  const opened = rez.init({
    folder,
    app: 'shop',
    release: 'shop@1',
    sessions: false,
    breadcrumbConsole: false,
    consent,
  });
  expect(opened).toMatchObject({ recording: true, problems: [] });
});
afterEach(() => {
  for (const undo of carrier().undo.splice(0).reverse()) undo();
  for (const name of ['HermesInternal', 'ErrorUtils']) Reflect.deleteProperty(globalThis, name);
  jest.restoreAllMocks();
});

async function recorded(): Promise<Json[]> {
  expect(await rez.persist(WAIT_MS)).toBe('');
  return rowsOf(folder).map(({ kind, json }) => ({ kind, ...json }));
}

const bad = (name: string) => (BAD[name] as () => unknown)();

/** 8 KiB of a text, with the mark of a cut. */
const CUT = expect.stringMatching(/^x{8000,}…$/);

/** What each value is as an attribute, and as an error that is thrown: its type and its message. */
const EXPECTED: Record<string, [attribute: unknown, type: string, message: unknown]> = {
  undefined: [undefined, 'NonError', 'undefined'],
  null: [null, 'NonError', 'null'],
  'a cyclic object': [
    { name: 'cycle', self: '[Circular]' },
    'Object',
    'An object with the members name, self was thrown.',
  ],
  'a getter that throws': [
    { good: 'kept', level: '[unreadable]' },
    'Object',
    'An object with the members good, level was thrown.',
  ],
  'a proxy that refuses everything': ['[unreadable]', 'Object', 'An object that cannot be read was thrown.'],
  'a BigInt': ['1000000000000000000000000000000', 'NonError', '1000000000000000000000000000000n'],
  'a Symbol': ['[Symbol]', 'NonError', 'Symbol(s)'],
  'a function': ['[Function]', 'NonError', 'function pay'],
  'a text of 10 MB': [CUT, 'NonError', CUT],
  'a NaN date': ['Invalid Date', 'Date', 'An object without members was thrown.'],
  'not a number': ['NaN', 'NonError', 'NaN'],
  'an infinite number': ['-Infinity', 'NonError', '-Infinity'],
  'an Error without a stack': ['Error: bare', 'Error', 'bare'],
  'an Error whose members throw': ['[unreadable]', 'Error', ''],
  'an object without a prototype': [{ a: 1 }, 'Object', 'An object with the members a was thrown.'],
  'a list with holes': [[null, '[Symbol]', null, null, null], 'Array', 'An array of 5 elements was thrown.'],
  'a lone surrogate': ['\ufffd', 'NonError', '\ufffd'],
};

test('every bad value has its row in the table', () => {
  expect(Object.keys(EXPECTED)).toEqual(Object.keys(BAD));
});

describe.each(Object.entries(EXPECTED))('%s', (name, [attribute, type, message]) => {
  const isCut = attribute === CUT;

  test('as an attribute costs neither the event nor the other attributes', async () => {
    expect(rez.logEvent('event', { before: 1, value: bad(name), after: 2 })).not.toBe('');
    const [event] = await recorded();
    expect(event).toMatchObject({ kind: 'analytics', name: 'event', attrs: { before: 1, after: 2 } });
    expect((event as { attrs: Json }).attrs.value).toEqual(attribute);
    expect(event?.cut).toBe(isCut ? 1 : undefined);
  });

  test('that is thrown is an error, also if nobody catches it, or the promise that it rejects', async () => {
    expect(rez.captureException(bad(name))).not.toBe('');
    unhandled(1, bad(name));
    const errors = await recorded();
    expect(errors).toMatchObject([
      { kind: 'error', type, message, handled: true },
      { kind: 'error', type, message, handled: false, mechanism: 'promise' },
    ]);
    for (const { cut } of errors) expect(cut).toBe(isCut ? 1 : undefined);
  });

  test('that ends the process is a crash on the disk, and reaches the handler of the platform', async () => {
    const error = bad(name);
    uncaught(error, true);
    expect([seen.length, Object.is(seen[0], error)]).toEqual([1, true]);
    expect(await recorded()).toMatchObject([{ kind: 'crash', type, message, handled: false }]);
  });
});
