/** Options that an app reads from JSON are null where it has none: that is the same as leaving them out. Others that are wrong are a sentence. */
import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { limits, setLimits } from '../src/core/limits';
import { client } from '../src/core/monitor';
import {
  captureException,
  captureMessage,
  close,
  flush,
  gracefulShutdown,
  init,
  initDatadogAPM,
  initNewRelic,
  initSentry,
  performanceMonitor,
  setRequestPrivacy,
  status,
  why,
} from '../src/index';
import { mongoSink, otlpSink, rezIngest } from '../src/ingest';
import { forget, type Line, logged } from './app';
import { run } from './child';
import { newFolder, rowsOf } from './engine';
import { listen } from './stand-in';

let lines: Line[] = [];
let folder = '';

beforeEach(() => {
  lines = logged();
  forget('request-privacy');
  folder = newFolder();
  vi.stubEnv('REZ_FOLDER', folder);
});

afterEach(async () => {
  client().hooks = {};
  await close(20_000);
  vi.unstubAllEnvs();
});

const said = () => lines.map(({ message }) => message).join('\n');
/** An options object as JSON has it. */
const nulls = (...names: string[]) => Object.fromEntries(names.map((name) => [name, null])) as never;

test('init', () => {
  expect(init(null as never)).toBe(true);
  expect(status()?.status.folder).toBe(folder);
  init(nulls('folder', 'app', 'release', 'environment', 'destinations', 'logger', 'limits', 'settings'));
  const before = { ...limits() };
  init({ limits: { slowQueryMs: null, slowRequestMs: undefined } as never });
  expect(limits()).toEqual(before);
  expect(said()).toBe('');
});

test('a setting of the engine', () => {
  expect(init({ settings: { maxQueueBytes: null, debug: null } })).toBe(true);
  expect(said()).toBe('');
});

test('captureMessage and captureException', async () => {
  init();
  expect(captureMessage('one', null as never, null as never)).not.toBe('');
  expect(captureException(new Error('two'), nulls('attributes', 'tags', 'user', 'level'))).not.toBe('');
  expect(captureException(new Error('three'), null as never)).not.toBe('');
  await client().persist(20_000);
  expect(rowsOf(folder).map(({ json }) => json.level)).toEqual(['info', 'error', 'error']);
});

test('the time of flush, why and close', async () => {
  const endpoint = await listen(
    createServer((request, response) => request.resume().on('end', () => response.end('{}'))),
  );
  init({ destinations: [{ name: 'otlp', kind: 'otlp', endpoint }] });
  const id = captureMessage('sent');
  for (const wait of [null, 'soon', Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    expect(await flush(wait as never), String(wait)).toMatchObject({
      destinations: [expect.objectContaining({ destination: 'otlp' })],
    });
    expect(await why(id, wait as never), String(wait)).toMatchObject({ routes: [{ state: 'delivered' }] });
  }
  // With no time nothing that waits is sent.
  captureMessage('sent too');
  await close(null as never);
  expect(rowsOf(folder)).toEqual([]);
});

test('setRequestPrivacy leaves what was set', async () => {
  const { isHeaderAllowed, isIpAllowed } = await import('../src/http/request-privacy');
  setRequestPrivacy({ allHeaders: true, ip: true });
  setRequestPrivacy(nulls('allHeaders', 'ip', 'exclude'));
  expect([isHeaderAllowed('dnt'), isIpAllowed()]).toEqual([true, true]);
});

test('gracefulShutdown', () => {
  const listeners = process.listenerCount('SIGTERM');
  for (const options of [null, nulls('readyDelayMs', 'limitMs', 'signals'), 7]) {
    const takeBack = gracefulShutdown(createServer(), options as never);
    expect(process.listenerCount('SIGTERM')).toBe(listeners + 1);
    takeBack();
  }
  expect(process.listenerCount('SIGTERM')).toBe(listeners);
});

test.each([
  ['an app of Express in place of its server', "(await import('express')).default()"],
  ['nothing', 'undefined'],
  ['a server that has no idle connections to close', "(await import('node:http2')).createServer()"],
])('gracefulShutdown with %s says so, and closes the engine at the signal', async (_, server) => {
  const script = `
    rez.init();
    rez.gracefulShutdown(${server}, { signals: ['SIGTERM'] });
    rez.captureMessage('before the end');
    setInterval(() => undefined, 1_000);
    process.kill(process.pid, 'SIGTERM');`;
  const { by, stderr } = await run(script, { REZ_FOLDER: folder }, `${import.meta.dirname}/..`);
  expect(by).toBe('SIGTERM');
  expect(stderr).toMatch(/gracefulShutdown: not a server of node:http or node:https: pass what app.listen\(\) returns/);
  expect(stderr).not.toContain('could not be closed');
  expect(rowsOf(folder).map(({ json }) => json.message)).toEqual(['before the end']);
});

test('gracefulShutdown with signals that are no list listens for SIGTERM, and says so', () => {
  const listeners = process.listenerCount('SIGTERM');
  const takeBack = gracefulShutdown(createServer(), { signals: 'SIGTERM' as never });
  expect(process.listenerCount('SIGTERM')).toBe(listeners + 1);
  takeBack();
  expect(said()).toMatch(/gracefulShutdown: signals is not a list; SIGTERM is used/);
});

test('gracefulShutdown with a limit that is null answers the requests that it has', async () => {
  const script = `
    const { createServer, get } = await import('node:http');
    const server = createServer((_, response) => {
      process.kill(process.pid, 'SIGTERM');
      process.once('SIGTERM', () => setTimeout(() => response.end(() => console.log('answered')), 100));
    }).listen(0, '127.0.0.1', () => {
      rez.gracefulShutdown(server, { limitMs: null, readyDelayMs: null, signals: null });
      get({ port: server.address().port, host: '127.0.0.1' }).on('error', () => undefined);
    });`;
  const { by, stdout } = await run(script, { REZ_FOLDER: newFolder() });
  expect([by, stdout]).toEqual(['SIGTERM', 'answered\n']);
});

test('initSentry: a hook that is not given stays, and there need not be an app', async () => {
  initSentry(null as never, { beforeSend: (event) => ({ ...event, tags: { by: 'hook' } }) });
  initSentry(undefined, nulls('dsn', 'environment', 'release', 'tracesSampleRate', 'beforeSend', 'beforeBreadcrumb'));
  captureMessage('kept');
  await client().persist(20_000);
  expect(rowsOf(folder)[0]?.json.tags).toMatchObject({ by: 'hook' });
  expect(said()).not.toContain('first argument');
});

test('initDatadogAPM, and a site that is no text', () => {
  vi.stubEnv('DD_API_KEY', 'key');
  expect(initDatadogAPM(null as never)).toBe(true);
  expect(initDatadogAPM(nulls('site', 'service', 'env', 'version', 'endpoint', 'traces', 'logInjection'))).toBe(true);
  expect(initDatadogAPM({ site: 5 as never })).toBe(false);
  expect(said()).toMatch(/the site "5" is not the name of a host/);
});

test('initNewRelic looks for newrelic.js', () => {
  vi.stubEnv('NEW_RELIC_HOME', `${import.meta.dirname}/../bench/servers`);
  expect(initNewRelic(null as never, null as never)).toBe(true);
  expect(said()).toBe('');
});

test('startTelemetry', async () => {
  const nothing = { REZ_FOLDER: folder, OTEL_TRACES_EXPORTER: 'console', OTEL_METRICS_EXPORTER: 'none' };
  const all = '{ app: null, release: null, environment: null, tracesSampleRate: null, mode: null }';
  for (const options of ['null', all, '7']) {
    const script = `console.log(rez.startTelemetry(${options})); process.exit(0);`;
    const { stdout, stderr } = await run(script, nothing, `${import.meta.dirname}/..`);
    expect([stdout, stderr]).toEqual(['started\n', '']);
  }
});

test('rezIngest and its sinks', () => {
  const keys = { key: 'shop' };
  const none: object = nulls('headers', 'metrics', 'seen', 'answers');
  const sink = otlpSink({ endpoint: 'http://127.0.0.1:4318', ...none });
  expect([typeof sink.lost, sink.answers]).toEqual(['function', undefined]);
  expect(() => mongoSink({}, null as never)).not.toThrow();
  expect(() => mongoSink({}, nulls('collection', 'keepDays'))).not.toThrow();
  const options = nulls('concurrent', 'arrivingBytes', 'bodyMs', 'sinkMs', 'observe', 'now') as object;
  expect(typeof rezIngest({ keys, sink, ...options })).toBe('function');
  // What is no number is a programming error still.
  expect(() => rezIngest({ keys, sink, bodyMs: '5' as never })).toThrow(/bodyMs/);
});

test('a metric that is none does not reach the others', () => {
  for (const metric of [null, undefined, 7, 'GET /']) performanceMonitor.logMetric(metric as never);
  expect(performanceMonitor.getAverageResponseTime('/')).toBe(0);
  expect(performanceMonitor.getMetrics()).toEqual([]);
});

test('limits that no timer takes', async () => {
  const { Checks } = await import('../src/health/checks');
  setLimits({ checkMs: Number.POSITIVE_INFINITY });
  const later = () => new Promise((resolve) => setTimeout(resolve, 30, 'here'));
  expect(await new Checks().run(later)).toEqual({ healthy: true, value: 'here' });
  setLimits({ checkMs: 1_000 });
  expect(await new Checks(null as never).run(later)).toEqual({ healthy: true, value: 'here' });
});
