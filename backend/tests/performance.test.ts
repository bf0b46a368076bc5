import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import express5 from 'express';
import express4 from 'express4';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../src/core/limits';
import { close, init, performanceMiddleware, performanceMonitor } from '../src/index';
import { newFolder } from './engine';
import { newLogger } from './logs';
import { served } from './servers';
import { until } from './waiting';

const logger = newLogger();

beforeEach(() => {
  init({ folder: newFolder(), logger });
  performanceMonitor.clearMetrics();
  logger.lines.length = 0;
});

afterAll(() => close(20_000));

const metric = (endpoint: string, duration: number) => ({
  endpoint,
  duration,
  method: 'GET',
  statusCode: 200,
  timestamp: new Date(),
});

test('the monitor keeps the last 1,000 requests, the oldest first', () => {
  for (let at = 0; at < 2_500; at++) performanceMonitor.logMetric(metric(`/${at}`, 1));
  const kept = performanceMonitor.getMetrics().map(({ endpoint }) => endpoint);
  expect(kept).toHaveLength(1_000);
  expect([kept[0], kept[499], kept[999]]).toEqual(['/1500', '/1999', '/2499']);
  performanceMonitor.clearMetrics();
  expect(performanceMonitor.getMetrics()).toEqual([]);
  performanceMonitor.logMetric(metric('/after', 1));
  expect(performanceMonitor.getMetrics()).toHaveLength(1);
});

test('the average of an endpoint is the mean of its durations, and 0 without any', () => {
  performanceMonitor.logMetric(metric('/a', 10));
  performanceMonitor.logMetric(metric('/a', 20));
  performanceMonitor.logMetric(metric('/b', 500));
  expect(performanceMonitor.getAverageResponseTime('/a')).toBe(15);
  expect(performanceMonitor.getAverageResponseTime('/c')).toBe(0);
});

test('a request above 1,000 ms is warned of, one of 1,000 ms is not', () => {
  performanceMonitor.logMetric(metric('/edge', 1_000));
  performanceMonitor.logMetric(metric('/slow', 1_000.1));
  expect(logger.lines).toEqual([
    {
      level: 'warn',
      message: 'Slow request detected',
      fields: { endpoint: '/slow', duration: 1_000.1, method: 'GET' },
    },
  ]);
});

describe.each([
  ['Express 4', express4],
  ['Express 5', express5 as unknown as typeof express4],
])('%s', (_, express) => {
  async function api() {
    const app = express();
    app.use(performanceMiddleware);
    const products = express.Router();
    products.get('/:id', (_request, response) => {
      response.json({});
    });
    products.get('/:id/fails', (_request, _response, next) => next(new Error('no')));
    products.get('/:id/hangs', () => undefined);
    app.use('/api/products', products);
    app.use('/shops/:shop', products);
    app.use(((_error, _request, response, _next) => {
      response.status(500).end();
    }) as express4.ErrorRequestHandler);
    return served(app);
  }

  const last = () => until(() => performanceMonitor.getMetrics().at(-1), 'a metric');

  test('the endpoint is the template of the route, below the routers that it is in', async () => {
    const { url } = await api();
    await fetch(`${url}/api/products/42?coupon=secret`);
    expect(await last()).toMatchObject({ endpoint: '/api/products/:id', path: '/api/products/42', statusCode: 200 });
    expect(performanceMonitor.getAverageResponseTime('/api/products/:id')).toBeGreaterThan(0);
    expect(performanceMonitor.getAverageResponseTime('/api/products/42')).toBeGreaterThan(0);
  });

  test('an error that leaves the router takes nothing from the endpoint', async () => {
    const { url } = await api();
    await fetch(`${url}/api/products/42/fails`);
    expect(await last()).toMatchObject({ endpoint: '/api/products/:id/fails', statusCode: 500 });
  });

  test('an id in the path of a router is no part of the endpoint', async () => {
    const { url } = await api();
    await fetch(`${url}/shops/5f3c/7`);
    expect(await last()).toMatchObject({ endpoint: '/shops/:shop/:id' });
  });

  test('requests that no route answers have one endpoint', async () => {
    const { url } = await api();
    await fetch(`${url}/wp-login.php`);
    expect(await last()).toMatchObject({ endpoint: 'unknown', statusCode: 404 });
  });

  test('the line of each of two requests that share a connection has the trace of its own request', async () => {
    const { port } = await api();
    const traces = ['a', 'b'].map((letter) => letter.repeat(32));
    const socket = connect(port, '127.0.0.1');
    socket.resume();
    // Both are sent before the first answer.
    socket.write(
      traces
        .map(
          (id) =>
            `GET /api/products/1?${id[0]} HTTP/1.1\r\nHost: a\r\ntraceparent: 00-${id}-${'c'.repeat(16)}-01\r\n\r\n`,
        )
        .join(''),
    );
    await until(() => logger.of('Request completed').length === 2);
    socket.destroy();
    const lines = logger.of('Request completed').map(({ url, trace_id }) => [url, trace_id]);
    expect(lines).toEqual(traces.map((id) => [`/api/products/1?${id[0]}`, id]));
  });

  test('each request is a line with what the guide logs, and without the values of its query', async () => {
    const { url } = await api();
    await fetch(`${url}/api/products/42?coupon=secret&page=2`, { headers: { 'user-agent': 'test/1' } });
    const [line] = await until(() => logger.of('Request completed').length > 0 && logger.of('Request completed'));
    expect(line).toEqual({
      method: 'GET',
      url: '/api/products/42?coupon&page',
      statusCode: 200,
      duration: expect.any(Number),
      ip: '127.0.0.1',
      userAgent: 'test/1',
      trace_id: expect.any(String),
      span_id: expect.any(String),
    });
  });

  test('a client that disconnects is one request with the status 499', async () => {
    const { url } = await api();
    const call = httpRequest(`${url}/api/products/42/hangs`);
    call.on('error', () => undefined);
    call.end();
    await new Promise((resolve) => call.on('socket', (socket) => socket.on('connect', resolve)));
    // The server has it when its next request is answered.
    await fetch(`${url}/api/products/1`);
    call.destroy();
    await until(() => performanceMonitor.getMetrics().length === 2, 'the second metric');
    // The connections of the two requests end in any order.
    const [metric] = performanceMonitor.getMetrics().filter(({ statusCode }) => statusCode === 499);
    expect(metric).toMatchObject({ endpoint: '/api/products/:id/hangs' });
    const [line] = logger.of('Request completed').filter(({ statusCode }) => statusCode === 499);
    expect(line).toMatchObject({ ip: '127.0.0.1' });
  });

  test('headers with newlines reach no line of the log', async () => {
    const { port } = await api();
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(
          'GET /api/products/1 HTTP/1.1\r\nHost: a\r\nUser-Agent: one\r\n two\nthree\r\nConnection: close\r\n\r\n',
        ),
      );
      socket.setEncoding('utf8').on('data', (data) => {
        text += data;
      });
      socket.on('close', () => resolve(text));
      socket.on('error', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 (200|400)/);
    for (const { fields } of logger.lines) expect(String(fields.userAgent)).not.toMatch(/[\r\n]/);
  });
});

test('a limit that is none is a sentence, and the others hold', () => {
  init({ limits: { slowRequestMs: Number.NaN, slowCallMs: 7, slow: 1 } as never });
  const said = logger.lines.map(({ message }) => message);
  expect(said).toEqual([expect.stringContaining('limits.slowRequestMs'), expect.stringContaining('limits.slow:')]);
  expect(limits()).toMatchObject({ slowRequestMs: 1_000, slowCallMs: 7 });
  init({ limits: { slowCallMs: 1_000 } });
});

test('a logger that throws fails no request', async () => {
  const throws = () => {
    throw new Error('no');
  };
  init({ logger: { info: throws, warn: throws, error: throws } });
  const { url } = await served((request: never, response: { end(): void }) =>
    performanceMiddleware(request, response as never, () => response.end()),
  );
  expect((await fetch(url)).status).toBe(200);
  await until(() => performanceMonitor.getMetrics().length === 1);
});
