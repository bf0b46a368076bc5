import { setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import { debug, setDebug } from '../../core/say';
import { isInspectorAllowed } from '../../inspector/allowed';
import type { Port } from '../../native/port';
import { recordingPort } from '../../testing/recording-port';
import { logEvent } from '../analytics';
import { close, init } from '../init';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

const consent = { monitoring: 'granted', analytics: 'pending' } as const;

function fresh(answers: Partial<Port> = {}) {
  const port = recordingPort(answers);
  setClient(new Client({ port }));
  return port;
}

const settingsOf = (call: unknown[] | undefined) => JSON.parse(String(call?.[1])) as Record<string, unknown>;

beforeEach(() => jest.spyOn(console, 'warn').mockImplementation(() => undefined));

test('settings and destinations become one record of the engine', () => {
  const port = fresh();
  const result = init({
    app: 'shop',
    release: 'shop@1.4.0+52',
    consent,
    network: false,
    sentry: { dsn: 'https://k@o1.ingest.sentry.io/1', tracesSampleRate: 0.2 },
    mixpanel: { key: 'token' },
  });
  expect(result).toMatchObject({ recording: true, problems: [] });
  expect(settingsOf(port.calls[0])).toEqual({
    app: 'shop',
    release: 'shop@1.4.0+52',
    network: false,
    inspector: true,
    consentMonitoring: 'granted',
    consentAnalytics: 'pending',
    destinations: [
      { name: 'sentry', kind: 'sentry', dsn: 'https://k@o1.ingest.sentry.io/1', tracesSampleRate: 0.2 },
      { name: 'mixpanel', kind: 'mixpanel', key: 'token' },
    ],
  });
});

test('a missing key switches one destination off, with a sentence', () => {
  const port = fresh();
  const { recording, problems } = init({
    consent,
    sentry: { dsn: undefined as unknown as string },
    mixpanel: { key: 't' },
  });
  expect(recording).toBe(true);
  expect(problems).toEqual(['sentry is off: `dsn` is missing']);
  expect((settingsOf(port.calls[0]).destinations as { name: string }[]).map(({ name }) => name)).toEqual(['mixpanel']);
});

test('a wrong key of one destination does not cost the others', () => {
  const wrong = '{"error":"destinations[0]: `dsn` is no DSN"}';
  const port = fresh({
    open: (settings) => (settings.includes('"dsn"') ? wrong : '{"seed":""}'),
    addDestinations: (settings) => (settings.includes('"dsn"') ? '`dsn` is no DSN' : ''),
  });
  const result = init({ consent, sentry: { dsn: 'x' }, mixpanel: { key: 't' } });
  expect(result).toMatchObject({ recording: true, problems: ['sentry is off: `dsn` is no DSN'] });
  expect(port.calls.filter(([name]) => name === 'addDestinations')).toHaveLength(2);
});

test('a second init adds its destinations and opens nothing', () => {
  const port = fresh();
  init({ consent });
  init({ consent, mixpanel: { key: 't' } });
  expect(port.calls.map(([name]) => name)).toEqual(['open', 'addDestinations']);
});

test('of the settings of a second init, only `debug` takes effect', () => {
  fresh();
  init({ consent, debug: true, inspector: true });
  init({ consent, debug: false, inspector: false, beforeSend: () => null });
  expect([debug(), isInspectorAllowed(undefined)]).toEqual([false, true]);
  expect(logEvent('e')).not.toBe('');
  setDebug(undefined);
});

test('init that is not enabled opens nothing', () => {
  const port = fresh();
  expect(logEvent('before')).not.toBe('');
  expect(init({ consent, enabled: false })).toEqual({ recording: false, problems: [] });
  expect(logEvent('after')).toBe('');
  expect(port.calls).toEqual([]);
});

test.each([undefined, null, 5, 'x', {}, { consent: null }, { consent, destinations: [{}] }, { consent, sentry: 5 }])(
  'init with %p does not throw',
  (config) => {
    fresh();
    expect(() => init(config as never)).not.toThrow();
  },
);

test('close undoes what was installed, the last first, also if one fails', async () => {
  fresh();
  init({ consent });
  const order: string[] = [];
  const { carrier } = jest.requireActual<typeof import('../../core/carrier')>('../../core/carrier');
  carrier().undo.push(
    () => order.push('first'),
    () => {
      order.push('second');
      throw new Error('no');
    },
    () => order.push('third'),
  );
  await close(10);
  expect(order).toEqual(['third', 'second', 'first']);
});
