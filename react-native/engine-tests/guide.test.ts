/** The guide's own use of its vendors, on the real engine: rows and bytes are those of the contract vectors. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { carrier } from '../src/core/carrier';
import type { Client } from '../src/core/client';
import * as ours from '../src/guide';
import { addon, newEngine, newFolder, rowsOf, WAIT_MS } from './addon';
import { compileErrors } from './app-compiler';
import { newClient } from './client';
import { Collector, mixpanelAccepts } from './collector';
import { APP } from './contract/vector';
import { type Guide, VECTORS } from './guide-calls';
import { writeGuide } from './guide-files';

jest.mock('react-native', () => ({ TurboModuleRegistry: { get: () => null }, Alert: { alert: jest.fn() } }));

const WALL_MS = 1_795_400_000_000;
const CONTRACT = join(__dirname, '../../tests/contract');
const files = writeGuide();
afterAll(() => files.remove());

const load = (name: string) => require(join(files.folder, name)) as object;
const guides: [string, () => Guide][] = [
  [
    'the files of the guide',
    () => Object.assign({}, ...['sentry', 'datadog', 'performance', 'errorHandler', 'analytics', 'mixpanel'].map(load)),
  ],
  ['@rez/monitor/guide', () => ours],
];

let collector: Collector;
let advance: (ms: number) => void;
beforeEach(async () => {
  collector = await Collector.start();
  collector.answer = mixpanelAccepts;
  Object.assign(globalThis, { __DEV__: false });
  for (const method of ['warn', 'error', 'log'] as const)
    jest.spyOn(console, method).mockImplementation(() => undefined);
});
afterEach(() => {
  for (const undo of carrier().undo.splice(0).reverse()) undo();
  jest.restoreAllMocks();
});

/**
 * The app of the contract vectors. Its destinations send to this machine, and one more, which takes everything and cannot be reached,
 * keeps what a destination that is added later wants. Without `connected` it has no destinations: every row stays in the queue.
 */
async function app(connected: boolean): Promise<{ client: Client; folder: string }> {
  addon.testClock(WALL_MS, 1_000_000);
  let wall = WALL_MS;
  let mono = 1_000_000;
  advance = (ms) => {
    wall += ms;
    mono += ms;
    addon.testAdvance(ms);
  };
  jest.spyOn(Date, 'now').mockImplementation(() => wall);
  const engine = newEngine();
  const toCollector = (settings: string, from: string) => {
    if (!connected) return '';
    const given = JSON.parse(settings) as { destinations: Record<string, unknown>[] };
    for (const one of given.destinations) if (one.kind !== 'sentry') one.endpoint = collector.url;
    return engine.addDestinations(JSON.stringify(given), from);
  };
  const port = new Proxy(engine, {
    get: (target, name) =>
      name === 'addDestinations' ? toCollector : (Reflect.get(target, name) as () => unknown).bind(target),
  });
  const client = newClient({ port, clock: { wallMs: () => wall, monoMs: () => mono } });
  const folder = newFolder();
  // The app was started before: Mixpanel's event of the first start is in no vector.
  const earlier = newEngine();
  const granted = { consentMonitoring: 'granted', consentAnalytics: 'granted' };
  earlier.open(JSON.stringify({ folder, sessions: false, ...APP, ...granted }), '');
  await earlier.close(WAIT_MS);
  expect(client.open({ folder, sessions: false, ...APP, ...granted })).toBe('');
  const keeper = { name: 'keeper', kind: 'rez', endpoint: 'http://127.0.0.1:1', key: 'k' };
  if (connected) expect(engine.addDestinations(JSON.stringify({ destinations: [keeper] }), 'oldest')).toBe('');
  return { client, folder };
}

const KEYS = {
  EXPO_PUBLIC_SENTRY_DSN: () => `${collector.url.replace('//', '//0123456789abcdef@')}/42`,
  EXPO_PUBLIC_DATADOG_APP_ID: () => '0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11',
  EXPO_PUBLIC_DATADOG_CLIENT_TOKEN: () => 'pub-token',
  EXPO_PUBLIC_MIXPANEL_TOKEN: () => 'T0K3N',
};

/** Starts everything as the guide's app does. */
async function start(guide: Guide): Promise<void> {
  for (const [name, value] of Object.entries(KEYS)) process.env[name] = value();
  ours.init({
    isProduction: true,
    sentry: { dsn: KEYS.EXPO_PUBLIC_SENTRY_DSN(), release: undefined },
    datadog: { applicationId: KEYS.EXPO_PUBLIC_DATADOG_APP_ID(), clientToken: 'pub-token' },
    mixpanel: { token: 'T0K3N' },
    ga4: { measurementId: 'G-1A2B3C4D5E', key: 's3cret' },
  });
  guide.initSentry();
  guide.initDatadog();
  await guide.mixpanelService.initialize();
  // The release is that of the vectors again, whatever the files of the guide name.
  carrier().client.setRelease('rezapp@2.4.1+77', '77');
}

/** Made anew in each run, or said by the language of the app; the vectors are those of a Kotlin app with the service `rezapp`. */
const OWN = new Set([
  ...['run', 'id', 'crc32', 'event_id', '$insert_id', 'sent_at', 'length'],
  ...['platform', 'source_type', 'language', 'frames', 'stack', 'stacktrace', 'service', 'ddtags'],
]);

function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !OWN.has(name));
  return Object.fromEntries(kept.map(([name, member]) => [name, normal(member)]));
}

const vector = (path: string) => JSON.parse(readFileSync(join(CONTRACT, path), 'utf8')) as Record<string, never>;

/** What a destination got on its routes: the objects of all bodies. */
function received(path: RegExp): unknown[] {
  return collector.requests
    .filter((request) => path.test(request.path))
    .flatMap(({ body }) =>
      body
        .toString()
        .split('\n')
        .filter((line) => line !== '')
        .flatMap((line) => JSON.parse(line) as unknown),
    );
}

interface Request {
  lines?: unknown[];
  json?: unknown;
}

const PATHS: [destination: string, route: string, path: RegExp][] = [
  ['sentry', 'sentry.envelope', /^\/api\/42\/envelope\//],
  ['datadog', 'datadog.rum', /^\/api\/v2\/rum/],
  ['mixpanel', 'mixpanel.import', /^\/import/],
  ['ga4', 'ga4.collect', /^\/mp\/collect/],
];

test('the files of the guide compile with only their import lines changed', () => {
  expect(compileErrors(files.paths)).toEqual([]);
});

describe.each(guides)('%s', (_, guide) => {
  test.each(Object.keys(VECTORS))('%s gives the rows of the contract', async (name) => {
    const { client, folder } = await app(false);
    await start(guide());
    await VECTORS[name]?.(guide(), advance);
    expect(await client.persist(WAIT_MS)).toBe('');
    expect(normal(rowsOf(folder))).toEqual(normal(vector(`expected/rows/${name}.json`).rows));
  });

  test.each(Object.keys(VECTORS))('%s gives the requests of the contract', async (name) => {
    const { client } = await app(true);
    await start(guide());
    await VECTORS[name]?.(guide(), advance);
    const flushed = await client.flush(WAIT_MS);
    expect(flushed.destinations.filter(({ destination, left }) => left > 0 && destination !== 'keeper')).toEqual([]);
    for (const [destination, route, path] of PATHS) {
      const expected = (vector(`expected/${destination}/${name}.json`)[route] ?? []) as Request[];
      const lines = expected.flatMap(({ lines, json }) => lines ?? json) as unknown[];
      expect([route, normal(received(path))]).toEqual([route, normal(lines)]);
    }
    // The guide forwards errors to the logs, the vectors do not.
    const logs = received(/^\/api\/v2\/logs/) as { context?: { kind?: string } }[];
    const isError = ({ context }: { context?: { kind?: string } }) => context?.kind === 'error';
    const rows = vector(`expected/rows/${name}.json`).rows as unknown as { kind: string }[];
    expect(logs.filter(isError)).toHaveLength(rows.filter(({ kind }) => kind === 'error').length);
    const messages = (vector(`expected/datadog/${name}.json`)['datadog.logs'] ?? []) as Request[];
    expect(normal(logs.filter((log) => !isError(log)))).toEqual(normal(messages.flatMap(({ json }) => json)));
    // Two routes of Mixpanel, at one address.
    const mixpanel = vector(`expected/mixpanel/${name}.json`) as Record<string, Request[]>;
    const profile = [...(mixpanel['mixpanel.set'] ?? []), ...(mixpanel['mixpanel.add'] ?? [])];
    expect(normal(received(/^\/engage/))).toEqual(normal(profile.flatMap(({ json }) => json)));
  });

  test('setEnabled(false) records nothing; true records again', async () => {
    const { client, folder } = await app(false);
    const { analyticsService } = guide();
    await start(guide());
    analyticsService.setEnabled(false);
    await analyticsService.logSearch('tea');
    analyticsService.setEnabled(true);
    await analyticsService.logSearch('chai');
    await client.persist(WAIT_MS);
    const rows = rowsOf(folder);
    expect(rows.map(({ json }) => json.attrs)).toEqual([{ search_term: 'chai' }]);
  });

  test('a slow call warns at Sentry once, with endpoint and duration', async () => {
    const { client, folder } = await app(false);
    const { performanceMonitor } = guide();
    await start(guide());
    const begin = Date.now();
    advance(5_001);
    expect(performanceMonitor.trackAPICall('/orders', begin)).toBe(5_001);
    expect(performanceMonitor.getMetrics()).toEqual({ 'api_/orders': 5_001 });
    await client.persist(WAIT_MS);
    const rows = rowsOf(folder);
    const context = { performance: { duration: 5_001, endpoint: '/orders' } };
    expect(rows.filter(({ kind }) => kind === 'message').map(({ json }) => json)).toEqual([
      { context, level: 'warning', message: 'Slow API: /orders' },
    ]);
  });
});
