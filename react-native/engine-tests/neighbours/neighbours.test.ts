/**
 * Other packages that observe the network and errors, in one process with this one: loaded before it and after it, on the real engine,
 * with real requests to servers on this machine.
 */
import { rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { close, init } from '../../src/api/init';
import type { Client } from '../../src/core/client';
import { newEngine, newFolder, rowsOf, WAIT_MS } from '../addon';
import { newClient } from '../client';
import { bundle } from './bundles';
import { native } from './platform';

jest.mock('react-native', () => require('./platform').reactNative);
for (const [name, found] of Object.entries(require('./platform').others))
  jest.doMock(name, () => found, { virtual: true });

type Handler = (error: unknown, isFatal?: boolean) => void;

const platform = globalThis as unknown as {
  XMLHttpRequest: { new (): XMLHttpRequest; prototype: Record<string, unknown> };
  fetch: typeof fetch;
  ErrorUtils: { getGlobalHandler(): Handler; setGlobalHandler(handler: Handler): void };
  __DEV__: boolean;
};
const nodeFetch = platform.fetch;
const bundles = new Set<string>();
const load = <T>(name: Parameters<typeof bundle>[0]): T => {
  const path = bundle(name);
  bundles.add(path);
  let module: T | undefined;
  jest.isolateModules(() => {
    module = require(path) as T;
  });
  return module as T;
};

let server: http.Server;
let base: string;
let received: string[];
let crashes: unknown[];
let folder: string;
let client: Client;

beforeAll(async () => {
  server = http.createServer((request, response) => {
    received.push(request.url ?? '');
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  for (const path of bundles) rmSync(path, { force: true });
});

beforeEach(() => {
  received = [];
  crashes = [];
  native.length = 0;
  folder = newFolder();
  platform.__DEV__ = false;
  let handler: Handler = (error) => crashes.push(error);
  platform.ErrorUtils = {
    getGlobalHandler: () => handler,
    setGlobalHandler: (next) => {
      handler = next;
    },
  };
  jest.resetModules();
  // Its own copy for each test: what a neighbour has left on the prototype of another test is not there.
  platform.XMLHttpRequest = (require('xhr2') as { XMLHttpRequest: typeof platform.XMLHttpRequest }).XMLHttpRequest;
  platform.fetch = nodeFetch;
  for (const method of ['log', 'warn', 'error', 'info', 'debug'] as const) {
    jest.spyOn(console, method).mockImplementation(() => undefined);
  }
});
afterEach(async () => {
  await close(WAIT_MS);
  jest.restoreAllMocks();
});

/** What this package and its neighbours replace. */
const globals = () => ({
  fetch: platform.fetch,
  XMLHttpRequest: platform.XMLHttpRequest,
  ...Object.fromEntries(
    ['open', 'send', 'setRequestHeader'].map((name) => [name, platform.XMLHttpRequest.prototype[name]]),
  ),
  own: Object.keys(platform.XMLHttpRequest.prototype),
  handler: platform.ErrorUtils.getGlobalHandler(),
  log: console.log,
  warn: console.warn,
  error: console.error,
});

function startOurs(): void {
  client = newClient({ port: newEngine() });
  const consent = { monitoring: 'granted', analytics: 'granted' } as const;
  const result = init({ folder, app: 'shop', release: 'shop@1', sessions: false, consent });
  expect(result).toMatchObject({ recording: true, problems: [] });
  expect(result.observed).toEqual(expect.arrayContaining(['XMLHttpRequest', 'fetch', 'uncaught errors']));
}

async function rows(kind: string): Promise<Record<string, unknown>[]> {
  if (client.opened) expect(await client.persist(WAIT_MS)).toBe('');
  return rowsOf(folder)
    .filter((row) => row.kind === kind)
    .map(({ json }) => json);
}

function xhr(url: string): Promise<number> {
  const request = new platform.XMLHttpRequest();
  return new Promise((ended) => {
    request.open('GET', url);
    request.addEventListener('loadend', () => ended(request.status));
    request.send();
  });
}

/** Waits for what another package does at a time of its own. The test ends by its limit if that never happens. */
async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((next) => setImmediate(next));
}

interface Neighbour {
  start(): void;
  /** Makes it deliver what it has recorded, through JavaScript if it does so. Returns how many uploads have arrived. */
  deliver(): Promise<number>;
  stop(): Promise<void> | void;
}

const NEIGHBOURS: Record<string, () => Neighbour> = {
  '@sentry/react-native': () => {
    const sentry = load<{
      init(options: object): void;
      captureMessage(text: string): string;
      flush(): Promise<boolean>;
      close(): Promise<void>;
    }>('sentry');
    return {
      start: () =>
        sentry.init({
          dsn: `${base.replace('//', '//0123456789abcdef@')}/42`,
          enableNative: false,
          tracesSampleRate: 1,
        }),
      async deliver() {
        sentry.captureMessage('a message of the neighbour');
        await sentry.flush();
        return received.filter((url) => url.startsWith('/api/42/envelope/')).length;
      },
      stop: () => sentry.close(),
    };
  },
  '@datadog/mobile-react-native': () => {
    const { DdRumResourceTracking: tracking, BufferSingleton } = load<{
      DdRumResourceTracking: { startTracking(options: object): void; stopTracking(): void };
      BufferSingleton: { onInitialization(): void };
    }>('datadog');
    return {
      start() {
        BufferSingleton.onInitialization();
        tracking.startTracking({ resourceTraceSampleRate: 100, firstPartyHosts: [], trackFetchResources: true });
      },
      // Its native half sends; JavaScript tells it of each request.
      deliver: () => Promise.resolve(native.filter(([name]) => name === 'DdRum.stopResource').length),
      stop: () => tracking.stopTracking(),
    };
  },
  'expo-observe': expoObserve,
};

function expoObserve(): Neighbour {
  let observe: { reportError(error: unknown): void } | undefined;
  return {
    start() {
      observe = load<{ Observe: typeof observe }>('expo').Observe;
    },
    // Its native half observes the network and sends.
    deliver() {
      observe?.reportError(new Error('caught'));
      return Promise.resolve(native.filter(([name]) => name === 'ExpoAppMetrics.reportError').length);
    },
    stop: () => undefined,
  };
}

describe.each(Object.entries(NEIGHBOURS))('%s', (_, make) => {
  test.each(['before', 'after'])('loaded %s us: one row for each request, and none for its uploads', async (order) => {
    const neighbour = make();
    if (order === 'before') neighbour.start();
    startOurs();
    if (order === 'after') neighbour.start();
    const response = await platform.fetch(`${base}/by-fetch`);
    expect([response.status, await xhr(`${base}/by-xhr`)]).toEqual([200, 200]);
    platform.fetch = load<{ fetch: typeof fetch }>('fetch').fetch;
    await platform.fetch(`${base}/by-whatwg`);
    expect(await neighbour.deliver()).toBeGreaterThan(0);
    const urls = (await rows('api_call')).map(({ url }) => String(url).replace(base, ''));
    expect(urls).toEqual(['/by-fetch', '/by-xhr', '/by-whatwg']);
    await neighbour.stop();
  });

  test('loaded before us: close restores exactly what it has installed', async () => {
    const neighbour = make();
    neighbour.start();
    const before = globals();
    startOurs();
    expect(globals()).not.toEqual(before);
    await close(WAIT_MS);
    expect(globals()).toEqual(before);
    expect(await xhr(`${base}/later`)).toBe(200);
    expect(await rows('api_call')).toEqual([]);
    await neighbour.stop();
  });

  test('loaded after us: it stays after close, and what is beneath it only passes on', async () => {
    const neighbour = make();
    startOurs();
    neighbour.start();
    const before = globals();
    await close(WAIT_MS);
    const after = globals();
    // What it has not replaced is the platform's again.
    expect({ ...before, ...after }).toEqual(after);
    expect((await platform.fetch(`${base}/later`)).status).toBe(200);
    expect(await xhr(`${base}/later`)).toBe(200);
    platform.ErrorUtils.getGlobalHandler()(new Error('late'), true);
    expect(await neighbour.deliver()).toBeGreaterThan(0);
    await until(() => crashes.length > 0);
    expect(crashes).toHaveLength(1);
    await neighbour.stop();
    expect(await xhr(`${base}/last`)).toBe(200);
    expect(await rows('api_call')).toEqual([]);
    expect(await rows('crash')).toEqual([]);
  });

  test.each(['before', 'after'])('loaded %s us: a crash is one row and reaches the platform once', async (order) => {
    const neighbour = make();
    if (order === 'before') neighbour.start();
    startOurs();
    if (order === 'after') neighbour.start();
    const error = new Error('the end');
    platform.ErrorUtils.getGlobalHandler()(error, true);
    await neighbour.deliver();
    // Sentry sends before it passes a crash on.
    await until(() => crashes.length > 0);
    expect(crashes).toEqual([error]);
    expect(await rows('crash')).toMatchObject([{ type: 'Error', message: 'the end' }]);
    await neighbour.stop();
  });
});

test.each(['before', 'after'])('Expo Observe, loaded %s us, sees a crash too', (order) => {
  const { start } = expoObserve();
  if (order === 'before') start();
  startOurs();
  if (order === 'after') start();
  platform.ErrorUtils.getGlobalHandler()(new Error('the end'), true);
  const reported = native.filter(([name]) => name === 'ExpoAppMetrics.reportError');
  expect(reported).toMatchObject([[expect.anything(), { source: 'global', message: 'the end', isFatal: true }]]);
});
