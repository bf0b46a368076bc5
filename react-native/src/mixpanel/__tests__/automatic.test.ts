import { AppState, type AppStateStatus } from 'react-native';
import { close } from '../../api/init';
import { freshApp } from '../../testing/app';
import { Mixpanel } from '..';
import { isNewer } from '../automatic';

let listeners: Set<(state: AppStateStatus) => void>;
beforeEach(() => {
  listeners = new Set();
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  jest.spyOn(AppState, 'addEventListener').mockImplementation((_, listener) => {
    listeners.add(listener as (state: AppStateStatus) => void);
    return { remove: () => listeners.delete(listener as (state: AppStateStatus) => void) } as never;
  });
});
afterEach(() => {
  freshApp();
  jest.restoreAllMocks();
});

const targets = ['mixpanel'];

function change(...states: AppStateStatus[]): void {
  for (const state of states) for (const listener of [...listeners]) listener(state);
}

/** An engine that tells about its start. Without `start` it is an older one. */
function app(start?: unknown) {
  return freshApp({ status: () => JSON.stringify({ status: { start }, lines: [] }) });
}

async function begin(start?: unknown, automatic = true) {
  const found = app(start);
  await new Mixpanel('token', automatic).init();
  return found;
}

test('the first start of an installation is `$ae_first_open`, with the date on the profile', async () => {
  const { items, clock } = await begin({ first: true, version: '1.4.0' });
  const date = new Date(clock.wallMs()).toISOString();
  expect(items()).toEqual([
    { kind: 'user_prop', op: 'set_once', name: '$ae_first_app_open_date', value: date, targets },
    { kind: 'analytics', name: '$ae_first_open', targets },
  ]);
});

test('the first start of a newer version is `$ae_updated`', async () => {
  const { items } = await begin({ first: false, version: '1.10.0', version_before: '1.9.3' });
  expect(items()).toEqual([
    { kind: 'analytics', name: '$ae_updated', attrs: { $ae_updated_version: '1.10.0' }, targets },
  ]);
});

test.each([
  undefined,
  null,
  'first',
  {},
  { first: false, version: '1.4.0', version_before: '1.4.0' },
  { first: false, version: '1.3.9', version_before: '1.4.0' },
  { first: false, version: '1.4.0', version_before: null },
  { first: 'yes', version: 5, version_before: 4 },
])('a start of which the engine says %j is neither', async (start) => {
  const { items } = await begin(start);
  expect(items()).toEqual([]);
});

test('a stay in the foreground of ten seconds or more is a session with its length in seconds', async () => {
  const { items, clock } = await begin();
  clock.advance(12_340);
  change('inactive', 'background');
  clock.advance(3_600_000);
  change('active');
  clock.advance(9_999);
  change('inactive', 'active', 'background');
  clock.advance(60_000);
  change('active');
  clock.advance(10_000);
  change('background');
  const session = (length: number) => [
    { kind: 'analytics', name: '$ae_session', attrs: { $ae_session_length: length }, targets },
    { kind: 'user_prop', op: 'increment', name: '$ae_total_app_sessions', by: 1, targets },
    { kind: 'user_prop', op: 'increment', name: '$ae_total_app_session_length', by: length, targets },
  ];
  expect(items()).toEqual([...session(12.3), ...session(10)]);
});

test('without the second argument nothing is automatic', async () => {
  const { items, clock } = await begin({ first: true }, false);
  clock.advance(60_000);
  change('background');
  expect(items()).toEqual([]);
});

test('two objects and a second `init` record each once; close ends it, and a later start begins it again', async () => {
  const { items, clock } = await begin({ first: true, version: '1' });
  await new Mixpanel('token', true).init();
  expect(listeners.size).toBe(2);
  expect(items().filter(({ name }) => name === '$ae_first_open')).toHaveLength(1);
  await close(0);
  expect(listeners.size).toBe(0);
  await new Mixpanel('token', true).init();
  clock.advance(20_000);
  change('background');
  expect(items().filter(({ name }) => name === '$ae_session')).toHaveLength(1);
  expect(items().filter(({ name }) => name === '$ae_first_open')).toHaveLength(1);
});

test('a clock that is set forward or a platform without AppState is no session and no throw', async () => {
  const { items, clock } = await begin();
  clock.wall += 60_000;
  change('background');
  expect(items()).toEqual([]);
  jest.spyOn(AppState, 'addEventListener').mockImplementation(undefined as never);
  await expect(begin()).resolves.toBeDefined();
});

test.each([
  ['1.10', '1.9', true],
  ['2', '1.9.9', true],
  ['1.4.0+53', '1.4.0+52', true],
  ['1.4', '1.4.0', false],
  ['1.4.0', '1.4.1', false],
  ['beta', '', false],
  ['', '1', false],
])('%s is newer than %s: %s', (version, before, is) => {
  expect(isNewer(version, before)).toBe(is);
});
