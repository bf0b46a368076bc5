/** Mixpanel's automatic events on the real engine: rows, and what Mixpanel gets. */
import { close } from '../src/api/init';
import type { Client } from '../src/core/client';
import { Mixpanel } from '../src/mixpanel';
import { newEngine, newFolder, type Row, rowsOf, WAIT_MS } from './addon';
import { newClient } from './client';
import { Collector, mixpanelAccepts } from './collector';

const mockListeners = new Set<(state: string) => void>();
jest.mock('react-native', () => ({
  TurboModuleRegistry: { get: () => null },
  AppState: {
    currentState: 'active',
    addEventListener: (_: string, listener: (state: string) => void) => {
      mockListeners.add(listener);
      return { remove: () => mockListeners.delete(listener) };
    },
  },
}));

const change = (state: string) => {
  for (const listener of mockListeners) listener(state);
};

let mono = 0;
let folder: string;
let client: Client;

/** A start of the app with this version. */
async function start(version: string, serverURL: string): Promise<void> {
  client = newClient({ port: newEngine(), clock: { wallMs: () => Date.now(), monoMs: () => mono } });
  const granted = { consentMonitoring: 'granted', consentAnalytics: 'granted' };
  const settings = { folder, app: 'shop', release: `shop@${version}`, sessions: false, ...granted };
  expect(client.open(settings, { app_version: version })).toBe('');
  await new Mixpanel('T0K3N', true).init(false, undefined, serverURL);
}

/** What Mixpanel has got: the names of events with their own properties. */
function received({ requests }: Collector): [string, unknown][] {
  return requests
    .filter(({ path }) => path.startsWith('/import'))
    .flatMap(({ body }) => JSON.parse(body.toString()) as { event: string; properties: Record<string, unknown> }[])
    .map(({ event, properties }) => [event, properties.$ae_session_length ?? properties.$ae_updated_version]);
}

beforeEach(() => {
  mockListeners.clear();
  folder = newFolder();
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});
afterEach(() => jest.restoreAllMocks());

test('a session is one event and two increments, for Mixpanel alone', async () => {
  await start('1.4.0', 'http://127.0.0.1:1');
  mono += 72_340;
  change('background');
  expect(await client.persist(WAIT_MS)).toBe('');
  const rows = rowsOf(folder) as (Row & { targets: unknown })[];
  const own = rows.filter(({ json }) => !/first/.test(String(json.name)));
  expect(own.map(({ json }) => [json.name, json.attrs ?? json.by])).toEqual([
    ['$ae_session', { $ae_session_length: 72.3 }],
    ['$ae_total_app_sessions', 1],
    ['$ae_total_app_session_length', 72.3],
  ]);
  expect(new Set(own.map(({ targets }) => JSON.stringify(targets)))).toEqual(new Set(['["mixpanel"]']));
  await close(0);
});

test('Mixpanel gets the first open, an update and a session, each once', async () => {
  const collector = await Collector.start();
  collector.answer = mixpanelAccepts;
  for (const version of ['1.4.0', '1.4.0', '1.5.0', '1.5.0']) {
    await start(version, collector.url);
    mono += 10_000;
    change('background');
    await client.flush(WAIT_MS);
    await close(WAIT_MS);
  }
  expect(received(collector)).toEqual([
    ['$ae_first_open', undefined],
    ['$ae_session', 10],
    ['$ae_session', 10],
    ['$ae_updated', '1.5.0'],
    ['$ae_session', 10],
    ['$ae_session', 10],
  ]);
});
