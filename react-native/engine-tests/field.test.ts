/** What apps have met in the field, each on the real engine. */
import * as rez from '../src';
import { carrier } from '../src/core/carrier';
import type { Client } from '../src/core/client';
import { Mixpanel } from '../src/mixpanel';
import { addon, newEngine, newFolder, type Row, rowsOf, WAIT_MS } from './addon';
import { newClient } from './client';
import { Collector, mixpanelAccepts } from './collector';

jest.mock('react-native', () => require('./neighbours/platform').reactNative);

const WALL_MS = 1_795_400_000_000;
const consent = { monitoring: 'granted', analytics: 'granted' } as const;
const APP = { app: 'shop', release: 'shop@1.4.0+52', sessions: false, consent };

let wall: number;
let mono: number;
let folder: string;
let client: Client;

/** Both clocks, of JavaScript and of the engine. */
function advance(ms: number): void {
  client.drain();
  addon.testAdvance(ms);
  wall += ms;
  mono += ms;
}

function start(config: object = {}, isManual = true): void {
  [wall, mono] = [WALL_MS, 1_000_000];
  folder = newFolder();
  if (isManual) addon.testClock(wall, mono);
  const clock = isManual ? { clock: { wallMs: () => wall, monoMs: () => mono } } : {};
  client = newClient({ port: newEngine(), ...clock });
  const result = rez.init({ ...APP, folder, breadcrumbConsole: false, ...config } as rez.Config);
  expect(result).toMatchObject({ recording: true, problems: [] });
}

async function rows(): Promise<Row[]> {
  expect(await client.persist(WAIT_MS)).toBe('');
  return rowsOf(folder);
}

beforeEach(() => jest.spyOn(console, 'warn').mockImplementation(() => undefined));
afterEach(async () => {
  for (const undo of carrier().undo.splice(0).reverse()) undo();
  jest.restoreAllMocks();
});

const sentTo = (collector: Collector, path: string) =>
  collector.requests
    .filter((request) => request.path.startsWith(path))
    .flatMap(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>[]);

test('identify, reset and identify of the same user is one profile, and two people are never merged', async () => {
  const collector = await Collector.start();
  collector.answer = mixpanelAccepts;
  start();
  const mixpanel = new Mixpanel('T0K3N', false);
  await mixpanel.init(false, undefined, collector.url);
  const step = async (name: string) => {
    // The engine makes the ids of devices from the time.
    advance(1_000);
    mixpanel.track(name);
    mixpanel.getPeople().set('last', name);
    await client.persist(WAIT_MS);
  };
  await mixpanel.identify('u-42');
  await step('first');
  advance(1_000);
  mixpanel.reset();
  await step('nobody');
  await mixpanel.identify('u-42');
  await step('again');
  await mixpanel.identify('u-43');
  await step('other');
  await client.flush(WAIT_MS);
  const events = sentTo(collector, '/import').map(({ event, properties }) => {
    const { $user_id, $device_id } = properties as Record<string, string>;
    return { event, user: $user_id, device: $device_id };
  });
  expect(events.map(({ event, user }) => [event, user])).toEqual([
    ['first', 'u-42'],
    ['nobody', undefined],
    ['again', 'u-42'],
    ['other', 'u-43'],
  ]);
  // Mixpanel merges the users that it sees with one device, so a device never has two.
  const users = new Map<string, Set<string>>();
  for (const { user, device } of events) {
    if (user && device) users.set(device, (users.get(device) ?? new Set()).add(user));
  }
  for (const [device, of] of users) expect([device, of.size]).toEqual([device, 1]);
  expect(events[1]?.device).not.toBe(events[0]?.device);
  expect(events[3]?.device).not.toBe(events[2]?.device);
  const profiles = sentTo(collector, '/engage').map(({ $distinct_id }) => $distinct_id);
  expect([profiles[0], profiles[2], profiles[3]]).toEqual(['u-42', 'u-42', 'u-43']);
  expect(new Set(profiles).size).toBe(3);
});

test('a flush after each event costs no extra request while the server is down', async () => {
  const collector = await Collector.start();
  collector.status = 503;
  start({ rez: { endpoint: collector.url, key: 'write-key' } });
  for (let event = 0; event < 50; event++) {
    rez.logEvent('step', { event });
    const { destinations } = await rez.flush(WAIT_MS);
    expect(destinations).toMatchObject([
      { destination: 'rez', delivered: 0, left: event + 1, held: expect.anything() },
    ]);
  }
  expect(collector.requests.length).toBeLessThanOrEqual(2);
  collector.status = 200;
  advance(3_600_000);
  await rez.flush(WAIT_MS);
  expect(new Set(collector.events().map(({ id }) => id)).size).toBe(50);
});

test('an app that sleeps for hours, wakes and records has a new session and right times', async () => {
  start({ sessions: true });
  const screen = rez.trackScreenLoad('Cart');
  rez.logEvent('before');
  rez.status();
  client.setForeground(false);
  client.drain();
  // The wall clock goes on; that of the durations stops while the device sleeps.
  addon.testAdvance(6 * 3_600_000);
  wall += 6 * 3_600_000;
  client.setForeground(true);
  rez.logEvent('after');
  screen.finish();
  const all = await rows();
  const named = (name: string) => all.find(({ json }) => json.name === name) as Row;
  expect(named('before').json.session).not.toBe(named('after').json.session);
  expect(named('after').wall_ms).toBe(WALL_MS + 6 * 3_600_000);
  expect(named('Cart').json).toMatchObject({ duration_us: 0, attrs: { clock_gap_ms: 6 * 3_600_000 } });
});

test.each([
  [undefined, 2],
  [120_000, 1],
])(
  'a payment by an app switch of 60 s with sessionBackgroundMs %p is %i session(s)',
  async (sessionBackgroundMs, count) => {
    start({ sessions: true, ...(sessionBackgroundMs !== undefined && { sessionBackgroundMs }) });
    rez.logEvent('pay');
    client.setForeground(false);
    advance(60_000);
    client.setForeground(true);
    rez.logEvent('paid');
    const sessions = (await rows()).filter(({ kind }) => kind === 'analytics').map(({ json }) => json.session);
    expect(sessions).toHaveLength(2);
    expect(new Set(sessions).size).toBe(count);
  },
);

test('only the host decides about trace headers: a query, a path or a user that names an allowed host gets none', async () => {
  const collector = await Collector.start();
  collector.answer = () => '';
  const { port } = new URL(collector.url);
  try {
    start({ traceTargets: ['127.0.0.1'] }, false);
    const other = `http://localhost:${port}`;
    for (const url of [
      `http://127.0.0.1:${port}/own`,
      `${other}/?next=http://127.0.0.1:${port}/own`,
      `${other}/127.0.0.1/own`,
      `${other}/#http://127.0.0.1/`,
      `http://127.0.0.1:1@localhost:${port}/user`,
    ]) {
      await fetch(url).catch(() => undefined);
    }
    const traced = collector.requests.filter(({ headers }) => headers.traceparent !== undefined);
    expect(traced.map(({ path }) => path)).toEqual(['/own']);
    expect(collector.requests.length).toBeGreaterThanOrEqual(4);
  } finally {
    await rez.close(WAIT_MS);
  }
});
