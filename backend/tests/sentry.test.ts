import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { client } from '../src/core/monitor';
import { fromSentryTrace } from '../src/http/served-request';
import {
  alertService,
  captureMessage,
  close,
  errorHandler,
  flush,
  init,
  initSentry,
  sentryErrorHandler,
} from '../src/index';
import { type Line, logged, serve, versions } from './app';
import { lib, run } from './child';
import { newFolder, rowsOf } from './engine';
import { type StandIn, standIn } from './stand-in';

let folder = '';
let lines: Line[] = [];

beforeEach(() => {
  folder = newFolder();
  lines = logged();
  init({ folder });
});

afterEach(async () => {
  client().hooks = {};
  await close(2_000);
});

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

/** Sentry's answer to an envelope. */
const sentry = () => standIn(200, 'application/json', '{}');
const dsn = (stand: StandIn) => `${stand.url.replace('//', '//key@')}/42`;

/**
 * The events in the envelopes that were received: a header, and two lines for each item. Sentry takes an event with a known id for the same
 * one: it is sent again if the process ended before the answer was stored.
 */
function events(stand: StandIn): Record<string, unknown>[] {
  const all: Record<string, unknown>[] = stand.received.flatMap(({ body }) => {
    const [, ...items] = body.trim().split('\n');
    return items
      .filter((_line, at) => at % 2 === 1 && JSON.parse(items[at - 1] ?? '').type === 'event')
      .map((line) => JSON.parse(line));
  });
  return [...new Map(all.map((event) => [event.event_id, event])).values()];
}

/** The rows without those of the requests themselves, of the server and of its client. */
async function rows() {
  expect(await client().persist(20_000)).toBe('');
  return rowsOf(folder).filter(({ kind }) => kind !== 'span' && kind !== 'api_call');
}

describe.each(versions)('Express %s', (_version, express) => {
  test.each([
    ['traceparent', `00-${TRACE}-${SPAN}-01`],
    ['sentry-trace', `${TRACE}-${SPAN}-1`],
    ['sentry-trace', `${TRACE}-${SPAN}`],
  ])('what a request records belongs to the trace of its header %s: %s', async (header, value) => {
    const app = express();
    initSentry(app);
    app.get('/', async (_request, response) => {
      await new Promise((resolve) => setImmediate(resolve));
      captureMessage('after a turn of the event loop');
      await alertService.sendAlert('info', 'An alert', '');
      response.json({});
    });
    app.get('/fails', () => {
      throw new Error('no');
    });
    sentryErrorHandler(app);
    app.use(errorHandler);
    const url = await serve(app);
    for (const path of ['', 'fails']) await fetch(`${url}/${path}`, { headers: { [header]: value } });
    const traces = (await rows()).map((row) => row.json.trace as { trace_id: string; span_id: string; parent: string });
    expect(traces).toHaveLength(3);
    expect(traces.map(({ trace_id, parent }) => [trace_id, parent])).toEqual(Array(3).fill([TRACE, SPAN]));
    // Two requests are two spans.
    expect(new Set(traces.map(({ span_id }) => span_id)).size).toBe(2);
  });

  test.each([
    ['no header', {}],
    ['a header that is none', { traceparent: 'hello', 'sentry-trace': 'x'.repeat(1_000) }],
    ['ids of zeros', { traceparent: `00-${'0'.repeat(32)}-${SPAN}-01`, 'sentry-trace': `${TRACE}-${'0'.repeat(16)}` }],
  ])('a request with %s begins a trace of its own', async (_what, headers) => {
    const app = express();
    initSentry(app);
    app.get('/', (_request, response) => void response.json({ id: captureMessage('here') }));
    const url = await serve(app);
    for (let at = 0; at < 2; at++) await fetch(url, { headers });
    const traces = (await rows()).map((row) => row.json.trace as Record<string, string>);
    expect(new Set(traces.map((trace) => trace.trace_id)).size).toBe(2);
    expect(traces[0]).toEqual({ trace_id: expect.stringMatching(/^[0-9a-f]{32}$/), span_id: expect.any(String) });
  });

  test('a failed request is an event at Sentry, and one that the client has caused is none', async () => {
    const toSentry = await sentry();
    process.env.SENTRY_DSN = dsn(toSentry);
    const app = express();
    initSentry(app, { tracesSampleRate: 0.5 });
    delete process.env.SENTRY_DSN;
    app.get('/carts/:id', (request) => {
      throw Object.assign(new Error(request.params.id), request.params.id === '7' ? {} : { status: 404, expose: true });
    });
    sentryErrorHandler(app);
    app.use(errorHandler);
    const url = await serve(app);
    expect((await fetch(`${url}/carts/7?token=SECRET`)).status).toBe(500);
    expect((await fetch(`${url}/carts/8`)).status).toBe(404);
    await flush(20_000);
    expect(toSentry.received[0]).toMatchObject({ method: 'POST', path: '/api/42/envelope/' });
    expect(events(toSentry)).toMatchObject([
      {
        exception: { values: [{ type: 'Error', value: '7', mechanism: { type: 'middleware', handled: false } }] },
        tags: { 'http.route': '/carts/:id' },
        contexts: { request: { method: 'GET', url: '/carts/7?token' } },
      },
    ]);
    expect(JSON.stringify(events(toSentry))).not.toContain('SECRET');
  });
});

test('an error of a process that is killed right after it was captured reaches Sentry once', async () => {
  const toSentry = await sentry();
  const environment = { SENTRY_DSN: dsn(toSentry), REZ_FOLDER: newFolder(), REZ_APP: 'rezapp-api' };
  const killed = await run(
    `rez.initSentry();
    rez.captureException(new RangeError('no such cart'));
    process.kill(process.pid, 'SIGKILL');`,
    environment,
  );
  expect(killed.by).toBe('SIGKILL');
  for (const _start of ['first', 'second']) {
    const restarted = await run('rez.initSentry(); await rez.flush(20_000); await rez.close(20_000);', environment);
    expect(restarted.by).toBe(0);
  }
  expect(events(toSentry)).toMatchObject([
    { exception: { values: [{ type: 'RangeError', value: 'no such cart' }] }, level: 'error' },
  ]);
});

test('an error that ends the process, and a rejection that nobody handles, reach Sentry after the restart', async () => {
  const toSentry = await sentry();
  const environment = { SENTRY_DSN: dsn(toSentry), REZ_FOLDER: newFolder(), REZ_APP: 'rezapp-api' };
  const thrown = await run(`rez.initSentry(); setImmediate(() => { throw new Error('uncaught'); });`, environment);
  const rejected = await run(`rez.initSentry(); Promise.reject(new Error('rejected'));`, environment);
  // The exit is that of Node.js.
  expect([thrown.by, rejected.by]).toEqual([1, 1]);
  await run('rez.initSentry(); await rez.flush(20_000); await rez.close(20_000);', environment);
  const values = events(toSentry).map((event) => (event.exception as { values: { value: string }[] }).values[0]?.value);
  expect(values.sort()).toEqual(['rejected', 'uncaught']);
});

test('without SENTRY_DSN one line says so, and the app works', async () => {
  const [, express] = versions[1];
  const app = express();
  initSentry(app);
  initSentry();
  app.get('/', () => {
    throw new Error('no');
  });
  sentryErrorHandler(app);
  app.use(errorHandler);
  expect((await fetch(await serve(app))).status).toBe(500);
  expect(lines.filter(({ message }) => message.includes('SENTRY_DSN'))).toHaveLength(1);
  expect(await rows()).toHaveLength(1);
});

test('a DSN that is none, and an app that is none, are sentences', () => {
  initSentry({} as never, { dsn: 'https://example.com' });
  initSentry(null as never, null as never);
  sentryErrorHandler(null as never);
  const said = lines.map(({ message }) => message).join('\n');
  expect(said).toMatch(/destination sentry: /);
  expect(said).toMatch(/initSentry: the first argument has no method `use`/);
  expect(said).toMatch(/sentryErrorHandler: the first argument has no method `use`/);
});

test('beforeSend changes or drops what is recorded', async () => {
  initSentry(undefined, {
    beforeSend: (event) =>
      event.kind === 'message' && event.message === 'drop' ? null : { ...event, tags: { a: 'b' } },
  });
  captureMessage('drop');
  captureMessage('keep');
  expect((await rows()).map(({ json }) => [json.message, json.tags])).toMatchObject([['keep', { a: 'b' }]]);
});

test.each([
  ['is async', async () => null, /beforeSend must not be async: what it gets is dropped/],
  ['is async, and is rejected', () => Promise.reject(new Error('no')), /beforeSend must not be async: /],
  [
    'throws',
    () => {
      throw new TypeError('PLANTED');
    },
    /beforeSend has thrown TypeError: what it gets is dropped/,
  ],
  ['returns what is no item', () => true, /beforeSend has returned neither an item nor null: what it gets is dropped/],
])('a beforeSend that %s drops what it gets, and says so once', async (_, beforeSend, sentence) => {
  const unhandled: unknown[] = [];
  const hear = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', hear);
  try {
    initSentry(undefined, { beforeSend: beforeSend as never });
    captureMessage('one');
    captureMessage('two');
    expect(await rows()).toEqual([]);
    const said = lines.map(({ message }) => message).filter((message) => message.includes('beforeSend'));
    expect(said).toEqual([expect.stringMatching(sentence)]);
    expect(said.join('')).not.toContain('PLANTED');
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});

test('a hook that is no function is a sentence, and the events are recorded', async () => {
  initSentry(undefined, { beforeSend: 'drop' as never, beforeBreadcrumb: {} as never });
  captureMessage('kept');
  expect((await rows()).map(({ json }) => json.message)).toEqual(['kept']);
  const said = lines.map(({ message }) => message).join('\n');
  expect(said).toMatch(/initSentry: beforeSend is not a function; it is ignored/);
  expect(said).toMatch(/initSentry: beforeBreadcrumb is not a function; it is ignored/);
});

test('a sentry-trace header is read as Sentry writes it', () => {
  expect(fromSentryTrace(`${TRACE}-${SPAN}-0`)).toEqual({ trace_id: TRACE, span_id: SPAN, sampled: false });
  expect(fromSentryTrace(`${TRACE}-${SPAN}-1`)).toEqual({ trace_id: TRACE, span_id: SPAN, sampled: true });
  expect(fromSentryTrace(`${TRACE}-${SPAN}`)).toEqual({ trace_id: TRACE, span_id: SPAN });
  for (const header of ['', `${TRACE}-${SPAN}-2`, `${TRACE.toUpperCase()}-${SPAN}`, [TRACE], undefined, null]) {
    expect(fromSentryTrace(header)).toBeUndefined();
  }
});

test('two copies of the package in one process have one engine, and an error is recorded once', async () => {
  const ofChild = newFolder();
  const ended = await run(
    `const { createRequire } = await import('node:module');
    const other = createRequire(import.meta.url)(${JSON.stringify(join(lib, 'index.cjs'))});
    rez.init({ folder: ${JSON.stringify(ofChild)} });
    const error = new Error('shared');
    const handlers = [];
    rez.sentryErrorHandler({ use: (handler) => handlers.push(handler) });
    other.sentryErrorHandler({ use: (handler) => handlers.push(handler) });
    const request = { method: 'GET', url: '/' };
    for (const handler of handlers) handler(error, request, {}, () => {});
    for (const handler of handlers) handler('a text', request, {}, () => {});
    const app = other.AppError !== rez.AppError;
    console.log(app, JSON.stringify(other.status().status.accepted), rez.status().status.folder === other.status().status.folder);
    await other.close(20_000);`,
  );
  expect([ended.by, ended.stdout.trim()]).toEqual([0, 'true 2 true']);
  expect(rowsOf(ofChild).map(({ json }) => json.message)).toEqual(['shared', 'a text']);
});
