import { existsSync } from 'node:fs';
import { get as httpGet, request as httpRequest } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import express5 from 'express';
import express4 from 'express4';
import mongoose from 'mongoose';
import { request as undiciRequest } from 'undici';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requestContext, setActiveTrace } from '../src/core/context';
import { client } from '../src/core/monitor';
import {
  captureException,
  close,
  errorHandler,
  healthRouter,
  init,
  notFoundHandler,
  performanceMiddleware,
  requestContextHandler,
  setRequestPrivacy,
} from '../src/index';
import { forget } from './app';
import { newFolder, type Row, rowsOf } from './engine';
import { newLogger } from './logs';
import { pipelined, served } from './servers';
import { freePort, until } from './waiting';

let folder = '';

/** Each call or request above 30 ms is slow, and what makes one slow here takes 60 ms at least. */
beforeEach(() => {
  folder = newFolder();
  const limits = { slowRequestMs: 30, slowCallMs: 30 };
  init({ folder, logger: newLogger(), limits, settings: { traceTargets: ['127.0.0.1'] } });
});

afterEach(() => {
  setActiveTrace(() => undefined);
  return close(20_000);
});

afterAll(() => init({ folder: newFolder(), limits: { slowRequestMs: 1_000, slowCallMs: 1_000 } }) && close(20_000));

async function rows(kind: string, count: number): Promise<Row[]> {
  return until(async () => {
    expect(await client().persist(20_000)).toBe('');
    const all = rowsOf(folder).filter((row) => row.kind === kind);
    return all.length >= count && all;
  }, `${count} rows of ${kind}`);
}

/** What is used of an answer. */
interface Answer {
  statusCode: number;
  end(): void;
}

const later = (work: () => void) => void setTimeout(work, 60);

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

describe.each([
  ['Express 4', express4],
  ['Express 5', express5 as unknown as typeof express4],
])('%s', (_, express) => {
  async function api() {
    const app = express();
    const products = express.Router();
    products.get('/:id', (request, response) => {
      if (request.params.id === 'slow') later(() => response.end());
      else response.end();
    });
    products.get('/:id/fails', (_request, _response, next) => {
      captureException(new Error('inside'));
      next(new Error('no'));
    });
    app.use('/products', products);
    app.use(((_error, _request, response, _next) => {
      response.status(503).end();
    }) as express4.ErrorRequestHandler);
    return served(app);
  }

  test('a request that failed is a row below the span of its caller, and what happened in it has its trace', async () => {
    const { url } = await api();
    await (await fetch(`${url}/products/42/fails`, { headers: { traceparent: PARENT } })).text();
    const [row] = await rows('span', 1);
    expect(row?.json).toMatchObject({
      name: 'GET /products/:id/fails',
      op: 'http.server',
      status: 'error',
      trace: { trace_id: TRACE, parent: 'b7ad6b7169203331' },
      attrs: {
        'http.request.method': 'GET',
        'http.route': '/products/:id/fails',
        'http.response.status_code': 503,
        'url.path': '/products/42/fails',
      },
    });
    const [error] = await rows('error', 1);
    expect(error?.json.trace).toEqual(row?.json.trace);
  });

  test('what the rules of privacy exclude is neither in the row nor in the log', async () => {
    forget('request-privacy');
    const log = newLogger();
    // On a busy machine no request is quick.
    init({ logger: log, limits: { slowRequestMs: 60_000 } });
    try {
      setRequestPrivacy({ exclude: ['request.uri'] });
      const app = express();
      app.use(performanceMiddleware);
      app.get('/secret/:id', (_request, _response, next) => next(new Error('no')));
      app.use(notFoundHandler);
      app.use(errorHandler);
      const { url } = await served(app);
      const done = (count: number) =>
        until(() => log.lines.filter(({ message }) => message === 'Request completed').length === count, 'a line');
      await (await fetch(`${url}/secret/PLANTED`)).text();
      await (await fetch(`${url}/other/PLANTED`)).text();
      const [first] = await rows('span', 1);
      expect(first?.json.attrs).toEqual({
        'http.request.method': 'GET',
        'http.route': '/secret/:id',
        'http.response.status_code': 500,
      });
      await done(2);
      setRequestPrivacy({ exclude: ['*'] });
      await (await fetch(`${url}/secret/PLANTED`, { headers: { 'user-agent': 'PLANTED' } })).text();
      const [, second] = await rows('span', 2);
      expect(second?.json).toMatchObject({ name: 'HTTP', status: 'error' });
      expect(second?.json.attrs ?? {}).toEqual({});
      await done(3);
      expect(JSON.stringify(log.lines)).not.toContain('PLANTED');
      // A row of its client, which is in the same process, has the address that the app has asked for.
      const ofServer = rowsOf(folder).filter(({ kind }) => kind !== 'api_call');
      expect(JSON.stringify(ofServer)).not.toContain('PLANTED');
    } finally {
      forget('request-privacy');
    }
  });

  test('a slow request is a row, a quick one is none', async () => {
    const { url } = await api();
    // On a busy machine no request is quick: a limit that none reaches.
    init({ limits: { slowRequestMs: 60_000 } });
    await (await fetch(`${url}/products/1`)).text();
    init({ limits: { slowRequestMs: 30 } });
    await (await fetch(`${url}/products/slow?token=secret`)).text();
    const [row, ...others] = await rows('span', 1);
    expect(row?.json).toMatchObject({ name: 'GET /products/:id', status: 'ok' });
    expect(row?.json.duration_us).toBeGreaterThan(30_000);
    expect(JSON.stringify(row)).not.toContain('secret');
    expect(others).toEqual([]);
  });
});

describe('the user that the app has put on the request', () => {
  const ID = '64b7f0c2a1d3e4f5a6b7c8d9';

  test.each([
    ['its id', { id: 42, _id: 'other', email: 'asha@example.com' }, { id: '42' }],
    [
      'the _id of a document of MongoDB',
      { _id: new mongoose.Types.ObjectId(ID), email: 'asha@example.com' },
      { id: ID },
    ],
    ['nothing, if it is a promise', Promise.resolve({ id: 'u-1' }), undefined],
    ['nothing, if its id is a promise', { id: Promise.resolve('u-1') }, undefined],
    ['nothing, if its id has no text of its own', { id: new Map() }, undefined],
    ['nothing, if there is no id', { email: 'asha@example.com' }, undefined],
    [
      'nothing, if it cannot be read',
      {
        get id() {
          throw new Error('refused');
        },
      },
      undefined,
    ],
  ])('is on the row of the request and on the error in it: %s', async (_, user, expected) => {
    const app = express5();
    app.get('/', (request, response) => {
      // The app finds out who asks after the request has begun.
      Object.assign(request, { user });
      captureException(new Error('inside'));
      response.status(503).end();
    });
    const { url } = await served(app);
    await (await fetch(url)).text();
    const [row] = await rows('span', 1);
    const [error] = await rows('error', 1);
    expect([row?.json.user, error?.json.user]).toEqual([expected, expected]);
    expect(JSON.stringify([row, error])).not.toContain('asha');
  });

  test('that is a promise is a sentence, once', async () => {
    forget('said');
    const logger = newLogger();
    init({ logger });
    const app = express5();
    app.get('/', (request, response) => {
      Object.assign(request, { user: Promise.resolve({ id: 'u-1' }) });
      captureException(new Error('inside'));
      response.end();
    });
    const { url } = await served(app);
    for (let at = 0; at < 2; at++) await (await fetch(url)).text();
    await rows('error', 2);
    const said = logger.lines.map(({ message }) => message).filter((message) => message.includes('promise'));
    expect(said).toEqual([expect.stringMatching(/request\.user is a promise/)]);
  });

  test('is on an error of a request over HTTP/2, with the trace of the caller, if the middleware opens the context', async () => {
    const server = createHttp2((request, response) =>
      requestContextHandler(request, response, () => {
        Object.assign(request, { user: { id: 'u-42' } });
        captureException(new Error('inside'));
        response.end();
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    try {
      const [error] = await new Promise<Row[]>((resolve, reject) => {
        session.on('error', reject);
        session
          .request({ ':path': '/', traceparent: PARENT })
          .on('close', () => rows('error', 1).then(resolve, reject))
          .resume();
      });
      expect(error?.json).toMatchObject({ user: { id: 'u-42' }, trace: { trace_id: TRACE } });
    } finally {
      session.destroy();
      server.close();
    }
  });

  test('is on nothing that is recorded outside the request', async () => {
    const { url } = await served((request: object, response: Answer) => {
      Object.assign(request, { user: { id: 'u-42' } });
      response.end();
    });
    await (await fetch(url)).text();
    captureException(new Error('outside'));
    expect((await rows('error', 1))[0]?.json.user).toBeUndefined();
  });
});

test('two requests of one connection have two traces', async () => {
  const { url } = await served((_: unknown, response: { end(text: string): void }) =>
    setImmediate(() => response.end(requestContext()?.trace?.trace_id ?? '')),
  );
  const ids = [await (await fetch(url)).text(), await (await fetch(url)).text()];
  expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(new Set(ids).size).toBe(2);
});

test('pipelined requests, whichever is answered first, have each their own user and none the trace of another', async () => {
  const app = express5();
  app.get('/:id/:ms', (request, response) => {
    if (request.params.id !== 'nobody') Object.assign(request, { user: { id: request.params.id } });
    const answer = () => response.status(500).end(requestContext()?.trace?.trace_id);
    if (request.params.ms === '0') answer();
    else setTimeout(answer, Number(request.params.ms));
  });
  const { port } = await served(app);
  // An answer that is ready waits for those before it, and is sent, and ends, in their context.
  const paths = ['/u-1/20', '/nobody/0', '/u-2/40', '/nobody/1', '/u-3/0'];
  const text = await pipelined(
    port,
    paths.map((path) => [path]),
  );
  const traces = text.match(/^[0-9a-f]{32}/gm);
  expect(new Set(traces).size).toBe(paths.length);
  const found = await rows('span', paths.length);
  const byPath = (path: string) =>
    found.find(({ json }) => (json.attrs as { 'url.path': string })['url.path'] === path);
  for (const [at, path] of paths.entries()) {
    const user = path.startsWith('/nobody') ? undefined : { id: path.split('/')[1] };
    expect([path, byPath(path)?.json.user]).toEqual([path, user]);
    expect(byPath(path)?.json.trace).toMatchObject({ trace_id: traces?.[at] });
  }
});

describe('what is recorded when a body has arrived, a part later than the head', () => {
  const listener = (request: Readable, response: Answer) => {
    Object.assign(request, { user: { id: 'u-42' } });
    // As an upload does that is parsed on its way.
    const parser = request.pipe(new PassThrough());
    parser.resume().on('end', () => {
      captureException(new Error('inside'));
      response.end();
    });
  };
  const recorded = async () => (await rows('error', 1))[0]?.json;

  test('belongs to the request', async () => {
    const { url } = await served(listener);
    const call = httpRequest(url, { method: 'POST', headers: { traceparent: PARENT } });
    call.write('a');
    later(() => call.end('b'));
    await new Promise((resolve, reject) => {
      call.on('response', (answer) => answer.resume().on('end', resolve)).on('error', reject);
    });
    expect(await recorded()).toMatchObject({ user: { id: 'u-42' }, trace: { trace_id: TRACE } });
  });

  test('belongs to the request over HTTP/2, if the middleware opens the context', async () => {
    const server = createHttp2((request, response) =>
      requestContextHandler(request, response, () => listener(request, response as unknown as Answer)),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const call = session.request({ ':path': '/', ':method': 'POST', traceparent: PARENT });
    try {
      call.write('a');
      later(() => call.end('b'));
      await new Promise((resolve, reject) => {
        call.on('close', resolve).on('error', reject).resume();
      });
      expect(await recorded()).toMatchObject({ user: { id: 'u-42' }, trace: { trace_id: TRACE } });
    } finally {
      session.destroy();
      server.close();
    }
  });
});

test('a call by fetch on a connection of another request has the user of its own request', async () => {
  const { url: peer } = await served((_: unknown, response: Answer) => {
    response.statusCode = 500;
    response.end();
  });
  const { url } = await served(async (request: { url: string }, response: Answer) => {
    if (request.url !== '/nobody') Object.assign(request, { user: { id: request.url.slice(1) } });
    await (await fetch(`${peer}${request.url}`)).text();
    response.end();
  });
  for (const id of ['u-1', 'nobody', 'u-2']) await (await fetch(`${url}/${id}`)).text();
  const calls = await until(async () => {
    // The calls of this test are slow on a busy machine.
    const inside = (await rows('api_call', 3)).filter(({ json }) => String(json.url).startsWith(peer));
    return inside.length === 3 && inside;
  });
  expect(calls.map(({ json }) => [String(json.url).slice(peer.length), json.user])).toEqual([
    ['/u-1', { id: 'u-1' }],
    ['/nobody', undefined],
    ['/u-2', { id: 'u-2' }],
  ]);
});

test('a traceparent that is nonsense begins a new trace', async () => {
  const { url } = await served((_: unknown, response: { end(text: string): void }) =>
    response.end(JSON.stringify(requestContext()?.trace)),
  );
  for (const traceparent of ['x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'ÿ'.repeat(600)]) {
    const trace = (await (await fetch(url, { headers: { traceparent } })).json()) as object;
    expect(trace).toEqual({ trace_id: expect.stringMatching(/^[0-9a-f]{32}$/), span_id: expect.any(String) });
  }
});

test('a client that leaves a slow request is a row that was cancelled, once', async () => {
  let reached = () => undefined as unknown;
  const arrived = new Promise((resolve) => {
    reached = () => later(() => resolve(undefined));
  });
  const { url } = await served(() => reached());
  const call = httpGet(url);
  call.on('error', () => undefined);
  await arrived;
  call.destroy();
  const [row, ...others] = await rows('span', 1);
  expect(row?.json).toMatchObject({
    name: 'GET unknown',
    status: 'cancelled',
    attrs: { 'http.response.status_code': 499 },
  });
  expect(others).toEqual([]);
});

test('with another tracer a row hangs below its span', async () => {
  const other = { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) };
  setActiveTrace(() => other);
  const { url } = await served((_: unknown, response: { statusCode: number; end(): void }) => {
    response.statusCode = 500;
    response.end();
  });
  await (await fetch(url)).text();
  const [row] = await rows('span', 1);
  expect(row?.json.trace).toMatchObject({ trace_id: other.trace_id, parent: other.span_id });
});

test('health probes and streams of events are no rows', async () => {
  const health = healthRouter({ checks: { broken: () => Promise.reject(new Error('no')) } });
  const { url } = await served((request: { url: string }, response: never) => {
    if (request.url !== '/events') return health(request as never, response);
    const stream = response as { setHeader(name: string, value: string): void; end(): void };
    stream.setHeader('content-type', 'text/event-stream');
    return later(() => stream.end());
  });
  expect((await fetch(`${url}/health`)).status).toBe(503);
  await (await fetch(`${url}/events`)).text();
  captureException(new Error('the end'));
  await rows('error', 1);
  expect(rowsOf(folder).filter(({ kind }) => kind === 'span')).toEqual([]);
});

test('nothing opens the engine again when a request ends after it was closed', async () => {
  let answerLate: (response: Answer) => void = () => undefined;
  const arrived = new Promise<Answer>((resolve) => {
    answerLate = resolve;
  });
  const { url } = await served((_: unknown, response: Answer) => answerLate(response));
  const call = fetch(url);
  const answer = await arrived;
  await close(20_000);
  // Where an engine opens that nobody has opened.
  const other = join(newFolder(), 'queue');
  process.env.REZ_FOLDER = other;
  try {
    answer.statusCode = 500;
    answer.end();
    expect((await call).status).toBe(500);
    expect(existsSync(other)).toBe(false);
  } finally {
    delete process.env.REZ_FOLDER;
  }
});

describe('an outgoing call', () => {
  const failing = () =>
    served((request: { url: string; headers: Record<string, string> }, response: never) => {
      const answer = response as {
        statusCode: number;
        setHeader(name: string, value: string): void;
        end(text: string): void;
      };
      answer.statusCode = request.url.startsWith('/fails') ? 502 : 200;
      const body = JSON.stringify(request.headers);
      if (request.url.startsWith('/slow')) later(() => answer.end(body));
      else answer.end(body);
    });

  /** Each client as a function: it resolves to the text of the answer. */
  const clients: [string, (url: string, headers?: Record<string, string>) => Promise<string>][] = [
    ['fetch', async (url, headers = {}) => (await fetch(url, { headers })).text()],
    ['undici', async (url, headers = {}) => (await undiciRequest(url, { headers })).body.text()],
    [
      'node:http',
      (url, headers = {}) =>
        new Promise((resolve, reject) => {
          const call = httpRequest(url, { headers }, (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (data) => {
              text += data;
            });
            response.on('end', () => resolve(text));
          });
          call.on('error', reject);
          call.end();
        }),
    ],
  ];

  describe.each(clients)('of %s', (_, call) => {
    test('that failed is a row, with its status and without its query', async () => {
      const { url } = await failing();
      await call(`${url}/fails/42?key=secret`);
      const [row, ...others] = await rows('api_call', 1);
      expect(row?.json).toMatchObject({ method: 'GET', url: `${url}/fails/42`, status: 502 });
      expect(JSON.stringify(row)).not.toContain('secret');
      expect(others).toEqual([]);
    });

    test('that reaches nobody is a row with the code of the error, and fails as it would', async () => {
      const url = `http://127.0.0.1:${await freePort()}/pay`;
      await expect(call(url)).rejects.toThrow();
      const [row] = await rows('api_call', 1);
      expect(row?.json).toMatchObject({
        url,
        error: 'ECONNREFUSED',
      });
    });

    test('that is slow is a row, and a quick one is none', async () => {
      const { url } = await failing();
      // On a busy machine no call is quick: a limit that none reaches.
      init({ limits: { slowCallMs: 60_000 } });
      await call(`${url}/quick`);
      init({ limits: { slowCallMs: 30 } });
      await call(`${url}/slow`);
      const [row, ...others] = await rows('api_call', 1);
      expect(row?.json).toMatchObject({ url: `${url}/slow`, status: 200 });
      expect(others).toEqual([]);
    });

    test('to a host of the team carries the trace, unless it carries one or another tracer is active', async () => {
      const { url } = await failing();
      const sent = async (headers?: Record<string, string>) =>
        (JSON.parse(await call(`${url}/`, headers)) as Record<string, string>).traceparent;
      expect(await sent()).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/);
      expect(await sent({ traceparent: PARENT })).toBe(PARENT);
      setActiveTrace(() => ({ trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) }));
      expect(await sent()).toBeUndefined();
    });

    test('to another host carries none', async () => {
      const { port } = await failing();
      const headers = JSON.parse(await call(`http://localhost:${port}/`).catch(() => '{}')) as Record<string, string>;
      expect(headers.traceparent).toBeUndefined();
    });
  });

  test('inside a request has the trace of the request', async () => {
    const { url: api } = await failing();
    const { url } = await served(async (_: unknown, response: { end(text: string): void }) =>
      response.end(await (await fetch(`${api}/`)).text()),
    );
    const seen = (await (await fetch(url, { headers: { traceparent: PARENT } })).json()) as Record<string, string>;
    expect(seen.traceparent?.split('-')[1]).toBe(TRACE);
  });
});

test('a call by way of a proxy is a row without the user and the password of its address', async () => {
  const { port } = await served((_request: unknown, response: Answer) => {
    response.statusCode = 503;
    response.end();
  });
  await new Promise((resolve, reject) => {
    const path = 'http://user:PLANTED@shop.example/a?b=PLANTED';
    httpGet({ host: '127.0.0.1', port, path }, (response) => response.resume().on('end', resolve)).on('error', reject);
  });
  const [row] = await rows('api_call', 1);
  expect(row?.json.url).toContain('shop.example/a');
  expect(JSON.stringify(rowsOf(folder))).not.toContain('PLANTED');
});
