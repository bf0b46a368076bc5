import { afterEach, beforeEach, expect, test } from 'vitest';
import { inRequest } from '../src/core/context';
import { logger } from '../src/core/logger';
import { captureException, close, flush, init, initDatadogAPM, status } from '../src/index';
import { type Line, logged } from './app';
import { newFolder } from './engine';
import { standIn } from './stand-in';

let lines: Line[] = [];
const VARIABLES = [
  'DD_API_KEY',
  'DD_CLIENT_TOKEN',
  'DD_APPLICATION_ID',
  'DD_SITE',
  'DD_SERVICE',
  'DD_ENV',
  'DD_VERSION',
];
const before = Object.fromEntries(VARIABLES.map((name) => [name, process.env[name]]));

beforeEach(() => {
  lines = logged();
  for (const name of VARIABLES) delete process.env[name];
});

afterEach(async () => {
  await close(2_000);
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

const routes = () => ((status()?.status.routes ?? []) as { route: string }[]).map(({ route }) => route).sort();
const said = () => lines.map(({ message }) => message).join('\n');

test('errors go to the OTLP intake with the API key, the service and its environment', async () => {
  const intake = await standIn(200, 'application/x-protobuf', '');
  Object.assign(process.env, { DD_API_KEY: 'k3y', DD_SERVICE: 'cart-api', DD_ENV: 'staging', DD_VERSION: '2.4.1' });
  process.env.REZ_FOLDER = newFolder();
  expect(initDatadogAPM({ endpoint: intake.url })).toBe(true);
  delete process.env.REZ_FOLDER;
  captureException(new Error('no stock'));
  await flush(20_000);
  expect(intake.received.map(({ path, headers }) => [path, headers['dd-api-key']])).toEqual([['/v1/logs', 'k3y']]);
  for (const text of ['no stock', 'cart-api', 'staging', '2.4.1']) expect(intake.received[0]?.body).toContain(text);
});

test('the intake is that of the site, and spans are sent only on request', async () => {
  init({ folder: newFolder() });
  process.env.DD_API_KEY = 'k3y';
  process.env.DD_SITE = 'datadoghq.eu';
  expect(initDatadogAPM()).toBe(true);
  await expect.poll(routes).toEqual(['datadog/otlp.logs', 'datadog/otlp.metrics']);
  expect(initDatadogAPM({ traces: true })).toBe(true);
  await expect.poll(routes).toEqual(['datadog/otlp.logs', 'datadog/otlp.metrics', 'datadog/otlp.traces']);
});

test('a client token with its application is enough', async () => {
  init({ folder: newFolder() });
  Object.assign(process.env, {
    DD_CLIENT_TOKEN: 'pub123',
    DD_APPLICATION_ID: '0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11',
    DD_SITE: 'us5.datadoghq.com',
  });
  expect(initDatadogAPM()).toBe(true);
  await expect.poll(routes).toEqual(['datadog/datadog.logs', 'datadog/datadog.rum']);
});

test('without a key, and with a site that is none, one sentence says what to do', () => {
  init({ folder: newFolder() });
  expect([initDatadogAPM(), initDatadogAPM()]).toEqual([false, false]);
  expect(said().match(/DD_API_KEY is not set/g)).toHaveLength(1);
  expect(initDatadogAPM({ site: 'evil.example/path?' })).toBe(false);
  expect(said()).toMatch(/the site "evil\.example\/path\?" is not the name of a host/);
  process.env.DD_API_KEY = 'SEC\r\nRET';
  expect(initDatadogAPM()).toBe(false);
  expect(said()).toMatch(/destination datadog: /);
  expect(said()).not.toContain('RET');
});

test('what has no equivalent is said once, and only if it was asked for', () => {
  init({ folder: newFolder() });
  initDatadogAPM();
  expect(said()).not.toMatch(/no equivalent/);
  for (let at = 0; at < 2; at++) {
    initDatadogAPM({ logInjection: true, analytics: true, runtimeMetrics: true, profiling: true });
  }
  expect(said().match(/no equivalent/g)).toHaveLength(3);
});

test('log lines of a request have the ids of its trace, also as Datadog writes them, and others have none', () => {
  init({ folder: newFolder() });
  const trace = { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: 'ffffffffffffffff' };
  initDatadogAPM({ service: 'cart-api', env: 'staging' });
  // A second call replaces the first.
  initDatadogAPM({ service: 'cart-api' });
  inRequest({ trace }, () => logger.info('inside', { a: 1, dd: 'own' }));
  inRequest({ trace }, () => logger.info('inside'));
  logger.info('outside', { a: 1 });
  const ids = { trace_id: BigInt('0xa3ce929d0e0e4736').toString(), span_id: '18446744073709551615' };
  expect(lines.filter(({ level }) => level === 'info').map(({ fields }) => fields)).toEqual([
    { ...trace, a: 1, dd: 'own' },
    { ...trace, dd: { ...ids, service: 'cart-api' } },
    { a: 1 },
  ]);
  initDatadogAPM({ logInjection: false });
});
