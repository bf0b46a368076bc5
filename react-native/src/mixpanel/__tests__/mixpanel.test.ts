import { unsupportedFeatures } from '../../core/unsupported';
import { freshApp, HOSTILE } from '../../testing/app';
import { Mixpanel } from '..';

let app: ReturnType<typeof freshApp>;
let mixpanel: Mixpanel;
beforeEach(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  app = freshApp();
  mixpanel = new Mixpanel('token', true);
});
afterEach(() => void freshApp());

const targets = ['mixpanel'];

test('`init` opens the engine with the destination', async () => {
  await mixpanel.init(true, { store: 's-7' }, 'https://relay.example');
  expect(app.destinations()).toEqual([
    { name: 'mixpanel', kind: 'mixpanel', key: 'token', endpoint: 'https://relay.example' },
  ]);
  expect(app.settings()).toMatchObject({ consentMonitoring: 'granted', consentAnalytics: 'granted' });
  expect(app.port.calls).toContainEqual(['pauseDestination', 'mixpanel']);
  expect(app.items()).toEqual([{ scope: 'super', attrs: { store: 's-7' }, targets }]);
});

test('an opt-out before the engine is open, or with `init`, holds for what was recorded before', async () => {
  for (const optOut of [true, false]) {
    const order: string[] = [];
    app = freshApp({
      pauseDestination: () => (order.push('pause') > 0 ? '' : ''),
      recordBatch: () => order.push('batch') > 0,
    });
    mixpanel.track('early');
    if (!optOut) mixpanel.optOutTracking();
    await mixpanel.init(optOut);
    expect(order).toEqual(['pause', 'batch']);
  }
});

test('an opt-out with `init` holds before an open engine gets the destination', async () => {
  app.open();
  await mixpanel.init(true);
  expect(app.port.calls.map(([name]) => name).slice(1, 3)).toEqual(['pauseDestination', 'addDestinations']);
});

test('events, times and super properties are for Mixpanel alone', () => {
  app.open();
  mixpanel.registerSuperPropertiesOnce({ first: 1 });
  mixpanel.timeEvent('Offer Opened');
  mixpanel.track('Offer Opened', { offer_id: 'o-3' });
  mixpanel.unregisterSuperProperty('first');
  expect(app.items()).toEqual([
    { scope: 'super_once', attrs: { first: 1 }, targets },
    { scope: 'time_event', name: 'Offer Opened' },
    { kind: 'analytics', name: 'Offer Opened', attrs: { offer_id: 'o-3' }, targets },
    { scope: 'super_unset', name: 'first' },
  ]);
});

test('identify names the user; reset names nobody and drops super properties', async () => {
  app.open();
  await mixpanel.identify('u-42');
  mixpanel.alias('other', 'u-42');
  mixpanel.reset();
  await mixpanel.identify(undefined as never);
  const user = { scope: 'user', id: 'u-42' };
  expect(app.items()).toEqual([user, user, { scope: 'user' }, { scope: 'super_clear' }]);
});

test('the profile', () => {
  app.open();
  const people = mixpanel.getPeople();
  people.set('plan', 'pro');
  people.set({ city: 'Pune', orders: 4 });
  people.setOnce('since', 2026);
  people.increment('orders');
  people.increment({ orders: 2 });
  people.append('seen', ['a', 'b']);
  people.union('tags', 'x');
  people.trackCharge(99);
  people.unset('plan');
  people.deleteUser();
  expect(app.items()).toEqual(
    [
      { kind: 'user_prop', op: 'set', name: 'plan', value: 'pro' },
      { kind: 'user_prop', op: 'set', name: 'city', value: 'Pune' },
      { kind: 'user_prop', op: 'set', name: 'orders', value: 4 },
      { kind: 'user_prop', op: 'set_once', name: 'since', value: 2026 },
      { kind: 'user_prop', op: 'increment', name: 'orders', by: 1 },
      { kind: 'user_prop', op: 'increment', name: 'orders', by: 2 },
      { kind: 'user_prop', op: 'append', name: 'seen', value: 'a' },
      { kind: 'user_prop', op: 'append', name: 'seen', value: 'b' },
      { kind: 'user_prop', op: 'union', name: 'tags', value: ['x'] },
      { kind: 'revenue', amount: 99 },
      { kind: 'user_prop', op: 'unset', name: 'plan' },
      { kind: 'user_prop', op: 'delete' },
    ].map((item) => ({ ...item, targets })),
  );
});

test('opting out holds the destination; what the engine decides itself is listed', () => {
  app.open();
  mixpanel.optOutTracking();
  mixpanel.optInTracking();
  mixpanel.setFlushInterval(10);
  mixpanel.flush();
  expect(app.port.calls.slice(1)).toEqual([
    ['pauseDestination', 'mixpanel'],
    ['resumeDestination', 'mixpanel'],
    ['flush', 5_000],
  ]);
  expect(unsupportedFeatures()).toEqual([
    'mixpanel.setFlushInterval(): the engine chooses the moments; call `flush()` for another',
  ]);
});

test('whatever is passed, nothing is thrown', async () => {
  for (const one of HOSTILE as never[]) {
    mixpanel.track(one, one);
    await mixpanel.identify(one);
    await new Mixpanel(one, one).init(one, one, one);
    for (const op of ['set', 'setOnce', 'increment', 'append', 'union', 'remove', 'unset', 'trackCharge'] as const) {
      (mixpanel.getPeople()[op] as (a: never, b: never) => void)(one, one);
    }
    mixpanel.registerSuperProperties(one);
    mixpanel.timeEvent(one);
  }
});
