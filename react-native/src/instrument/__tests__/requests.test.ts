/**
 * Real requests to a real server on this machine.
 *
 * @jest-environment node
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { close, init } from '../../api/init';
import { carrier, setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import { manualClock, type RecordedItem, type RecordingPort, recordingPort } from '../../testing/recording-port';
import { fetchRequests, wrapFetch } from '../fetch';
import type { Undo } from '../source';
import { xhrRequests } from '../xhr';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

interface Globals {
  XMLHttpRequest: unknown;
  fetch: typeof fetch;
}

const platform = globalThis as unknown as Globals;
const nodeFetch = platform.fetch;
const xhr2 = jest.requireActual<{ XMLHttpRequest: unknown }>('xhr2').XMLHttpRequest;

let server: http.Server;
let base: string;
let received: { method: string; url: string; headers: http.IncomingHttpHeaders }[];
let port: RecordingPort;
let client: Client;
let undo: Undo[];

beforeAll(async () => {
  server = http.createServer((request, response) => {
    received.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    request.resume();
    request.on('end', () => {
      if (request.url?.startsWith('/hangup')) {
        request.socket.destroy();
        return;
      }
      response.writeHead(Number(/status=(\d+)/.exec(request.url ?? '')?.[1] ?? 200), { 'content-length': '5' });
      response.end('hello');
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => new Promise((closed) => server.close(closed)));

beforeEach(() => {
  received = [];
  // The engine decides which hosts are targets; here this server is one, and no other.
  port = recordingPort({
    traceHeaders: (_trace, url) => (url.startsWith(base) ? '{"traceparent":"00-t-s-01"}' : '{}'),
  });
  client = new Client({ port, clock: manualClock() });
  setClient(client);
  carrier().settings = {};
  client.open({});
  platform.XMLHttpRequest = xhr2;
  platform.fetch = nodeFetch;
  undo = [];
});

afterEach(() => {
  for (const one of undo.reverse()) one();
});

function install(...sources: (typeof fetchRequests)[]): void {
  for (const source of sources) {
    const done = source(() => client);
    if (typeof done === 'string') throw new Error(done);
    undo.push(done);
  }
}

function recorded(kind: string): RecordedItem[] {
  client.drain();
  return port.items().filter((item) => item.kind === kind);
}

const breadcrumbs = () => port.items().filter((item) => 'breadcrumb' in item);

function xhr(
  method: string,
  url: string,
  body?: string,
  prepare?: (request: XMLHttpRequest) => void,
): Promise<XMLHttpRequest> {
  const request = new (platform.XMLHttpRequest as new () => XMLHttpRequest)();
  return new Promise((ended) => {
    request.open(method, url);
    prepare?.(request);
    request.addEventListener('loadend', () => ended(request));
    request.send(body);
  });
}

/** The `fetch` of React Native: `whatwg-fetch` over its XMLHttpRequest. */
function reactNativeFetch(): typeof fetch {
  let made: typeof fetch | undefined;
  jest.isolateModules(() => {
    made = jest.requireActual<{ fetch: typeof fetch }>('whatwg-fetch/dist/fetch.umd.js').fetch;
  });
  if (made === undefined) throw new Error('no fetch');
  return made;
}

test('a request by fetch is one row with method, status, bytes and trace', async () => {
  install(fetchRequests);
  const response = await fetch(`${base}/orders?id=5`, { method: 'post', body: 'päy' });
  expect(await response.text()).toBe('hello');
  expect(recorded('api_call')).toEqual([
    expect.objectContaining({
      method: 'POST',
      url: `${base}/orders?id=5`,
      status: 200,
      request_bytes: 4,
      response_bytes: 5,
      trace: expect.objectContaining({ trace_id: expect.any(String) }),
      duration_us: expect.any(Number),
    }),
  ]);
  expect(received[0]?.headers.traceparent).toBe('00-t-s-01');
  expect(breadcrumbs()).toEqual([
    { breadcrumb: expect.objectContaining({ data: { method: 'POST', url: `${base}/orders`, status_code: 200 } }) },
  ]);
});

test('a request by XMLHttpRequest is one row', async () => {
  install(xhrRequests);
  await xhr('GET', `${base}/a?status=503`);
  expect(recorded('api_call')).toEqual([
    expect.objectContaining({ method: 'GET', status: 503, response_bytes: 5, url: `${base}/a?status=503` }),
  ]);
  expect(received[0]?.headers.traceparent).toBe('00-t-s-01');
});

test('a fetch that makes an XMLHttpRequest inside is one row', async () => {
  platform.fetch = reactNativeFetch();
  install(xhrRequests, fetchRequests);
  await fetch(`${base}/once`);
  expect(recorded('api_call')).toHaveLength(1);
  expect(received).toHaveLength(1);
});

test('an XMLHttpRequest beside a fetch that has not ended is a row of its own', async () => {
  platform.fetch = reactNativeFetch();
  install(xhrRequests, fetchRequests);
  const pending = fetch(`${base}/first`);
  await xhr('GET', `${base}/second`);
  await pending;
  expect(recorded('api_call').map((item) => item.url)).toEqual(
    expect.arrayContaining([`${base}/first`, `${base}/second`]),
  );
});

test('a request without a response is recorded with its error, and the app gets the very same error', async () => {
  install(fetchRequests, xhrRequests);
  const plain = await nodeFetch(`${base}/hangup`).catch((error: unknown) => error);
  const ours = await fetch(`${base}/hangup`).catch((error: unknown) => error);
  expect(String(ours)).toBe(String(plain));
  await xhr('GET', `${base}/hangup`);
  const rows = recorded('api_call');
  expect(rows).toHaveLength(2);
  for (const row of rows) {
    expect(row.status).toBeUndefined();
    expect(row.error).toBeTruthy();
  }
});

test('a request that the app cancels says so', async () => {
  install(fetchRequests);
  const cancel = new AbortController();
  const pending = fetch(`${base}/cancelled`, { signal: cancel.signal });
  cancel.abort();
  await expect(pending).rejects.toThrow();
  expect(recorded('api_call')).toEqual([expect.objectContaining({ error: 'cancelled' })]);
});

test('a header that the app has set stays, in every form of headers', async () => {
  install(fetchRequests, xhrRequests);
  const own = { traceparent: 'own', 'x-app': '1' };
  await fetch(`${base}/1`, { headers: own });
  await fetch(`${base}/2`, { headers: new Headers(own) });
  await fetch(`${base}/3`, { headers: Object.entries(own) });
  await fetch(new Request(`${base}/4`, { headers: own }));
  await xhr('GET', `${base}/5`, undefined, (request) => request.setRequestHeader('Traceparent', 'own'));
  expect(received.map(({ headers }) => headers.traceparent)).toEqual(Array(5).fill('own'));
  await fetch(new Request(`${base}/6`, { headers: { 'x-app': '1' } }));
  expect(received[5]?.headers).toMatchObject({ traceparent: '00-t-s-01', 'x-app': '1' });
});

test('a host that is no target gets no header, also if the query names one', async () => {
  install(fetchRequests);
  const other = base.replace('127.0.0.1', 'localhost');
  await fetch(`${other}/pay?back=${base}`);
  expect(received[0]?.headers.traceparent).toBeUndefined();
  expect(recorded('api_call')).toHaveLength(1);
});

test('requests of the development server and addresses that are not HTTP are not recorded', async () => {
  install(fetchRequests);
  for (const url of [
    `${base}/symbolicate`,
    `${base}/logs`,
    `${base}/index.bundle?platform=ios`,
    'data:text/plain,hi',
  ]) {
    await fetch(url);
  }
  expect(recorded('api_call')).toEqual([]);
});

test('in a release the app can have a path that the development server has', async () => {
  install(fetchRequests);
  const scope = globalThis as { __DEV__?: boolean };
  scope.__DEV__ = false;
  try {
    await fetch(`${base}/status`);
  } finally {
    scope.__DEV__ = true;
  }
  expect(recorded('api_call')).toHaveLength(1);
});

/** What Node reports of promises that nobody handles. The `process` of a test is a copy without these events. */
function unhandled(): { seen: unknown[]; stop: () => void } {
  const real = (http.Server as unknown as { constructor: (code: string) => () => NodeJS.Process }).constructor(
    'return process',
  )();
  const seen: unknown[] = [];
  const listener = (reason: unknown) => seen.push(reason);
  // Those of jest fail the test.
  const others = real.listeners('unhandledRejection');
  real.removeAllListeners('unhandledRejection');
  real.on('unhandledRejection', listener);
  const stop = () => {
    real.removeListener('unhandledRejection', listener);
    for (const other of others) real.on('unhandledRejection', other as NodeJS.UnhandledRejectionListener);
  };
  return { seen, stop };
}

/** Node tells of a rejection behind the tasks of its turn. */
const nextTurn = () => new Promise((turn) => setImmediate(turn));

test('an error that the app does not handle stays unhandled, and is told once', async () => {
  const error = new TypeError('no network');
  let fail: () => void = () => undefined;
  platform.fetch = () =>
    new Promise((_, reject) => {
      fail = () => reject(error);
    });
  install(fetchRequests);
  const { seen, stop } = unhandled();
  try {
    void fetch(`${base}/lost`);
    fail();
    await nextTurn();
    await nextTurn();
    expect(seen).toEqual([error]);
    const handled = fetch(`${base}/lost`).catch((reason: unknown) => reason);
    fail();
    expect(await handled).toBe(error);
    await nextTurn();
    expect(seen).toHaveLength(1);
  } finally {
    stop();
  }
  expect(recorded('api_call')).toHaveLength(2);
});

test('the app gets the very response of its fetch, also from a fetch that answers without a promise', async () => {
  const answer = { status: 200 };
  platform.fetch = (() => Promise.resolve(answer)) as unknown as typeof fetch;
  install(fetchRequests);
  expect(await fetch(`${base}/same`)).toBe(answer);
  expect(wrapFetch((() => answer) as never)).toBeInstanceOf(Function);
  expect((wrapFetch((() => answer) as never) as () => unknown)()).toBe(answer);
});

test('what is no function is not wrapped', () => {
  for (const one of [undefined, null, 5, {}]) expect(wrapFetch(one as never)).toBe(one);
});

test('a wrapped fetch records nothing before init, with `network: false` and after close, and still works', async () => {
  client = new Client({ port, clock: manualClock() });
  setClient(client);
  const wrapped = wrapFetch(nodeFetch);
  expect((await wrapped(`${base}/before`)).status).toBe(200);
  init({ consent: { monitoring: 'granted', analytics: 'granted' }, network: false, debug: false });
  expect((await wrapped(`${base}/off`)).status).toBe(200);
  await close();
  expect((await wrapped(`${base}/closed`)).status).toBe(200);
  client.open({});
  expect(recorded('api_call')).toEqual([]);
  expect(received).toHaveLength(3);
});

test('an XMLHttpRequest that is used again is one row and one breadcrumb for each use', async () => {
  install(xhrRequests);
  const request = new (platform.XMLHttpRequest as new () => XMLHttpRequest)();
  for (const path of ['/a', '/b', '/c']) {
    await new Promise<void>((ended) => {
      request.open('GET', base + path);
      request.onloadend = () => ended();
      request.send();
    });
  }
  expect(recorded('api_call').map(({ url }) => url)).toEqual([`${base}/a`, `${base}/b`, `${base}/c`]);
  expect(breadcrumbs()).toHaveLength(3);
});

test('an XMLHttpRequest that is opened again before its end is cancelled, and nothing is kept on the object', async () => {
  class Request extends EventTarget {
    status = 200;
    open(): void {}
    send(): void {}
    setRequestHeader(): void {}
  }
  platform.XMLHttpRequest = Request;
  install(xhrRequests);
  const request = new Request() as unknown as XMLHttpRequest;
  const own = Reflect.ownKeys(request);
  request.open('GET', `${base}/first`);
  request.send();
  request.open('GET', `${base}/second`);
  request.send();
  request.dispatchEvent(new Event('loadend'));
  expect(recorded('api_call')).toEqual([
    expect.objectContaining({ url: `${base}/first`, error: 'cancelled' }),
    expect.objectContaining({ url: `${base}/second`, status: 200 }),
  ]);
  expect(Reflect.ownKeys(request)).toEqual(own);
});

test('an engine without WeakMap keeps what it knows in a member that nothing lists', () => {
  class Request extends EventTarget {
    status = 200;
    open(): void {}
    send(): void {}
    setRequestHeader(): void {}
  }
  platform.XMLHttpRequest = Request;
  const known = globalThis.WeakMap;
  (globalThis as { WeakMap?: unknown }).WeakMap = undefined;
  try {
    jest.isolateModules(() => install(jest.requireActual<typeof import('../xhr')>('../xhr').xhrRequests));
  } finally {
    globalThis.WeakMap = known;
  }
  const request = new Request() as unknown as XMLHttpRequest;
  const seen = JSON.stringify(Object.assign({}, request));
  for (const path of ['/a', '/b']) {
    request.open('GET', base + path);
    request.send();
    request.dispatchEvent(new Event('loadend'));
  }
  expect(recorded('api_call')).toHaveLength(2);
  expect(JSON.stringify(Object.assign({}, request))).toBe(seen);
  expect(Object.getOwnPropertySymbols(Object.assign({}, request)).map(String)).not.toContain(
    'Symbol(app.rez.monitor.request)',
  );
});

test('an `open` that the platform refuses leaves the request that runs', () => {
  class Request extends EventTarget {
    status = 200;
    open(method: string): void {
      if (method === 'NO') throw new SyntaxError('method');
    }
    send(): void {}
    setRequestHeader(): void {}
  }
  platform.XMLHttpRequest = Request;
  install(xhrRequests);
  const request = new Request() as unknown as XMLHttpRequest;
  request.open('GET', `${base}/runs`);
  request.send();
  expect(() => request.open('NO', `${base}/refused`)).toThrow('method');
  request.dispatchEvent(new Event('loadend'));
  expect(recorded('api_call')).toEqual([expect.objectContaining({ url: `${base}/runs`, status: 200 })]);
});

test('a breadcrumb has neither user nor password of an address', async () => {
  install(xhrRequests);
  for (const user of ['ann:s3cret@', 'ann:s3@cret@', 'ann@'])
    await xhr('GET', `${base.replace('//', `//${user}`)}/a?token=s3cret#s3cret`);
  await xhr('GET', `${base}/@ann`);
  client.drain();
  expect(breadcrumbs().map(({ breadcrumb }) => (breadcrumb as { data: { url: string } }).data.url)).toEqual([
    `${base}/a`,
    `${base}/a`,
    `${base}/a`,
    `${base}/@ann`,
  ]);
});

test('a fetch whose library waits before it makes its XMLHttpRequest is one row', async () => {
  const inner = reactNativeFetch();
  platform.fetch = (async (input: string, given?: RequestInit) => {
    await nextTurn();
    return inner(input, given);
  }) as typeof fetch;
  install(xhrRequests, fetchRequests);
  await fetch(`${base}/once`);
  expect(recorded('api_call')).toHaveLength(1);
  // A request of the same address afterwards, or beside a fetch that has its XMLHttpRequest, is a row of its own.
  await xhr('GET', `${base}/once`);
  expect(recorded('api_call')).toHaveLength(2);
  platform.fetch = nodeFetch;
});

test('an XMLHttpRequest of the address of a running fetch that has its own is a row of its own', async () => {
  platform.fetch = reactNativeFetch();
  install(xhrRequests, fetchRequests);
  const pending = fetch(`${base}/same`);
  await xhr('GET', `${base}/same`);
  await pending;
  expect(recorded('api_call')).toHaveLength(2);
});

test('two copies of the package in one app record a fetch once', async () => {
  platform.fetch = reactNativeFetch();
  install(xhrRequests);
  jest.isolateModules(() => {
    const copy = jest.requireActual<typeof import('../fetch')>('../fetch');
    expect(copy.fetchRequests).not.toBe(fetchRequests);
    install(copy.fetchRequests);
  });
  await fetch(`${base}/once`);
  expect(recorded('api_call')).toHaveLength(1);
});

test('a fetch that is imported is recorded once it is wrapped', async () => {
  const wrapped = wrapFetch(nodeFetch);
  await wrapped(`${base}/wrapped`);
  expect(recorded('api_call')).toHaveLength(1);
});

test('a fetch keeps the marks that others look for', () => {
  const mark = Symbol.for('expo.builtin');
  const marked = Object.assign((...args: Parameters<typeof fetch>) => nodeFetch(...args), { [mark]: true });
  platform.fetch = marked as unknown as typeof fetch;
  install(fetchRequests);
  expect((platform.fetch as unknown as Record<symbol, unknown>)[mark]).toBe(true);
});

test('bad arguments reach the platform as they are', async () => {
  install(fetchRequests);
  const hostile = {
    get url(): string {
      throw new Error('no');
    },
  };
  for (const input of [undefined, null, 5, {}, Symbol('x'), hostile]) {
    const plain = await nodeFetch(input as string).catch((error: unknown) => error);
    const ours = await fetch(input as string).catch((error: unknown) => error);
    expect(Object.prototype.toString.call(ours)).toBe(Object.prototype.toString.call(plain));
  }
});

test('closing restores exactly what was there', () => {
  const prototype = (platform.XMLHttpRequest as { prototype: Record<string, unknown> }).prototype;
  const before = { fetch: platform.fetch, open: prototype.open, send: prototype.send, set: prototype.setRequestHeader };
  install(fetchRequests, xhrRequests);
  expect(platform.fetch).not.toBe(before.fetch);
  for (const one of undo.splice(0).reverse()) one();
  expect({
    fetch: platform.fetch,
    open: prototype.open,
    send: prototype.send,
    set: prototype.setRequestHeader,
  }).toEqual(before);
});

test('a library that wrapped after us stays in place, and ours only passes on', async () => {
  install(fetchRequests);
  const ours = platform.fetch;
  const seen: unknown[] = [];
  platform.fetch = ((input: string) => {
    seen.push(input);
    return ours(input);
  }) as typeof fetch;
  const theirs = platform.fetch;
  for (const one of undo.splice(0)) one();
  expect(platform.fetch).toBe(theirs);
  await fetch(`${base}/later`);
  expect(seen).toEqual([`${base}/later`]);
  expect(recorded('api_call')).toEqual([]);
});
