import { captureException } from '../../api/capture';
import { setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import type { Port } from '../../native/port';
import { manualClock, type RecordingPort, recordingPort } from '../../testing/recording-port';
import { consoleBreadcrumbs } from '../console';
import { uncaughtErrors } from '../errors';
import { longTasks } from '../long-tasks';
import { rejections } from '../rejections';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

type Handler = (error: unknown, isFatal?: boolean) => void;
const scope = globalThis as unknown as {
  ErrorUtils: unknown;
  HermesInternal: unknown;
  PerformanceObserver: unknown;
  __DEV__: boolean;
};

let port: RecordingPort;
let client: Client;
let handler: Handler;
let order: string[];

function fresh(answers: Partial<Port> = {}): void {
  order = [];
  port = recordingPort({
    recordFatal: (document) => {
      order.push('on disk');
      port.fatals.push(document);
      return true;
    },
    ...answers,
  });
  client = new Client({ port, clock: manualClock() });
  setClient(client);
  client.open({});
  handler = (_error, isFatal) => order.push(`previous ${isFatal}`);
  scope.ErrorUtils = {
    getGlobalHandler: () => handler,
    setGlobalHandler: (next: Handler) => {
      handler = next;
    },
  };
  scope.__DEV__ = false;
}

const items = () => {
  client.drain();
  return port.items();
};

beforeEach(() => fresh());
afterEach(() => {
  scope.__DEV__ = true;
});

test('a fatal error is on the disk before the handler that ends the process', () => {
  uncaughtErrors(() => client);
  client.breadcrumb({ message: 'tap' });
  handler(new TypeError('undefined is not a function'), true);
  expect(order).toEqual(['on disk', 'previous true']);
  const document = JSON.parse(port.fatals[0] ?? '') as { items: unknown[] };
  expect(document.items).toEqual([
    { breadcrumb: { message: 'tap' } },
    expect.objectContaining({ kind: 'crash', type: 'TypeError', handled: false, mechanism: 'onerror' }),
  ]);
});

test('an error that does not end the process, or not in a debug build, is an error', () => {
  uncaughtErrors(() => client);
  handler(new Error('soft'), false);
  scope.__DEV__ = true;
  handler(new Error('red box'), true);
  expect(port.fatals).toEqual([]);
  expect(items().map((item) => [item.kind, item.message])).toEqual([
    ['error', 'soft'],
    ['error', 'red box'],
  ]);
  expect(order).toEqual(['previous false', 'previous true']);
});

test('the same error twice is one event, and both calls reach the handler before ours', () => {
  uncaughtErrors(() => client);
  const error = new Error('twice');
  handler(error, false);
  handler(error, false);
  expect(items()).toHaveLength(1);
  expect(order).toHaveLength(2);
});

test('an error that the app has captured and thrown on is one event, and a crash as well if it ends the process', () => {
  uncaughtErrors(() => client);
  const soft = new Error('soft');
  const id = captureException(soft);
  handler(soft, false);
  expect(items().map((item) => [item.kind, item.id])).toEqual([['error', id]]);
  const fatal = new Error('fatal');
  captureException(fatal);
  handler(fatal, true);
  handler(fatal, true);
  expect(port.fatals.map((text) => JSON.parse(text) as { items: unknown[] }).flatMap((one) => one.items)).toEqual([
    expect.objectContaining({ kind: 'error', message: 'fatal' }),
    expect.objectContaining({ kind: 'crash', message: 'fatal' }),
  ]);
});

test('an error that the app captures twice itself is two events, and one that a hook drops is not reported', () => {
  uncaughtErrors(() => client);
  const error = new Error('twice');
  captureException(error);
  captureException(error);
  expect(items()).toHaveLength(2);
  const dropped = new Error('dropped');
  client.hooks = { event: () => null };
  expect(captureException(dropped)).toBe('');
  client.hooks = {};
  handler(dropped, false);
  expect(items()).toHaveLength(3);
});

test('a native side that throws and an error that cannot be read do not stop the handler before ours', () => {
  fresh({
    recordFatal: () => {
      throw new Error('native');
    },
  });
  uncaughtErrors(() => client);
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const error of [new Error('x'), undefined, null, 'text', proxy]) handler(error, true);
  expect(order).toEqual(Array(5).fill('previous true'));
});

test('undoing restores the handler, unless another library has wrapped ours', () => {
  const before = handler;
  const undo = uncaughtErrors(() => client);
  if (typeof undo === 'string') throw new Error(undo);
  undo();
  expect(handler).toBe(before);
  const again = uncaughtErrors(() => client);
  if (typeof again === 'string') throw new Error(again);
  const ours = handler;
  handler = (error, isFatal) => ours(error, isFatal);
  const theirs = handler;
  again();
  expect(handler).toBe(theirs);
  handler(new Error('after'), true);
  expect(port.fatals).toEqual([]);
  expect(order).toEqual(['previous true']);
});

test('a platform without a place for errors says so', () => {
  scope.ErrorUtils = undefined;
  expect(uncaughtErrors(() => client)).toContain('uncaught errors');
});

test('a rejection that nobody handles is an error, in a release of Hermes', () => {
  let report: (id: number, error: unknown) => void = () => undefined;
  scope.HermesInternal = {
    hasPromise: () => true,
    enablePromiseRejectionTracker: (options: { onUnhandled: typeof report }) => {
      report = options.onUnhandled;
    },
  };
  const undo = rejections(() => client);
  for (const [id, reason] of [new Error('no'), 'text', undefined].entries()) report(id, reason);
  expect(items()).toEqual([
    expect.objectContaining({ kind: 'error', message: 'no', handled: false, mechanism: 'promise' }),
    expect.objectContaining({ message: 'text' }),
    expect.objectContaining({ kind: 'error' }),
  ]);
  const captured = new Error('captured');
  captureException(captured);
  report(4, captured);
  expect(items()).toHaveLength(4);
  if (typeof undo !== 'string') undo();
  report(9, new Error('after'));
  expect(items()).toHaveLength(4);
  scope.__DEV__ = true;
  expect(rejections(() => client)).toContain('LogBox');
  scope.HermesInternal = undefined;
});

test('what the app prints is a breadcrumb, and what we print is none', () => {
  const printed: unknown[][] = [];
  const before = console.log;
  console.log = (...args) => printed.push(args);
  const undo = consoleBreadcrumbs(() => client);
  console.log('order', 42, { id: 1 });
  console.log('[rez] ours');
  expect(items()).toEqual([
    { breadcrumb: { category: 'console', level: 'info', message: 'order 42 [object Object]' } },
  ]);
  expect(printed).toHaveLength(2);
  if (typeof undo !== 'string') undo();
  console.log('after');
  console.log = before;
  expect(items()).toHaveLength(1);
});

test('a line of ten megabytes and an argument that throws are cut and survived', () => {
  const before = console.debug;
  console.debug = () => undefined;
  const undo = consoleBreadcrumbs(() => client);
  const hostile = {
    toString: () => {
      throw new Error('no');
    },
  };
  console.debug(hostile, 'x'.repeat(10_000_000));
  if (typeof undo !== 'string') undo();
  console.debug = before;
  const [crumb] = items();
  const message = String((crumb?.breadcrumb as { message?: string } | undefined)?.message);
  expect(message).toHaveLength(512);
  expect(message.startsWith('[unreadable] xxx')).toBe(true);
});

test('a list says its length, and nothing reads its values', () => {
  const before = console.debug;
  console.debug = () => undefined;
  const undo = consoleBreadcrumbs(() => client);
  const secret = ['4111 1111 1111 1111', ['nested']];
  Object.defineProperty(secret, 2, {
    get: () => {
      throw new Error('read');
    },
  });
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  console.debug('cards', secret, new Float64Array(2_000_000), proxy, []);
  if (typeof undo !== 'string') undo();
  console.debug = before;
  expect(items()).toEqual([
    {
      breadcrumb: {
        category: 'console',
        level: 'debug',
        message: 'cards [array of 3] [array of 2000000] [unreadable] [array of 0]',
      },
    },
  ]);
});

test('long tasks are recorded where the platform measures them', () => {
  expect(longTasks(() => client)).toContain('does not measure');
  let entries: (list: { getEntries(): { name: string; duration: number }[] }) => void = () => undefined;
  class Observer {
    static supportedEntryTypes = ['longtask'];
    constructor(callback: typeof entries) {
      entries = callback;
    }
    observe() {}
    disconnect() {}
  }
  scope.PerformanceObserver = Observer;
  const undo = longTasks(() => client);
  entries({ getEntries: () => [{ name: '', duration: 123.4 }] });
  expect(items()).toEqual([expect.objectContaining({ kind: 'long_task', name: 'js', duration_us: 123_400 })]);
  if (typeof undo !== 'string') undo();
  scope.PerformanceObserver = undefined;
});
