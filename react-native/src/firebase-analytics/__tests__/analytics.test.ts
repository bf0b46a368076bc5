import * as Sentry from '../../sentry';
import { freshApp, HOSTILE } from '../../testing/app';
import analytics, * as modular from '..';
import { EVENTS } from '../events';

let app: ReturnType<typeof freshApp>;
beforeEach(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  app = freshApp();
  app.open();
});

const targets = ['ga4'];
const { getAnalytics } = modular;

test('both forms record the same event, for GA4 alone', async () => {
  await analytics().logEvent('filter_used', { count: 3 });
  await modular.logEvent(getAnalytics(), 'filter_used', { count: 3 });
  const event = { kind: 'analytics', name: 'filter_used', attrs: { count: 3 }, targets };
  expect(app.items()).toEqual([event, event]);
});

test.each(Object.entries(EVENTS))('%s is the event %s in both forms', async (method, name) => {
  const old = analytics() as unknown as Record<string, (params?: object) => Promise<void>>;
  const now = modular as unknown as Record<string, (analytics: unknown, params?: object) => Promise<void>>;
  await old[method]?.({ a: 1 });
  await now[method]?.(getAnalytics(), { a: 1 });
  const event = { kind: 'analytics', name, attrs: { a: 1 }, targets };
  expect(app.items()).toEqual([event, event]);
});

test('a screen view has its class', async () => {
  await analytics().logScreenView({ screen_name: 'Store', screen_class: 'StoreScreen', shop: 1 });
  await modular.logEvent(getAnalytics(), 'screen_view', { screen_name: 'Store' });
  expect(app.items()).toEqual([
    { kind: 'screen_view', name: 'Store', class: 'StoreScreen', attrs: { shop: 1 }, targets },
    { kind: 'screen_view', name: 'Store', targets },
  ]);
});

test('a purchase is revenue, with its id in either spelling', async () => {
  const items = [{ id: 'p-1' }];
  await analytics().logPurchase({ transactionId: 'T-1', value: 499.5, currency: 'INR', items, coupon: 'C' });
  await modular.logPurchase(getAnalytics(), { transaction_id: 'T-2', value: 1 });
  await analytics().logPurchase({ currency: 'INR' });
  expect(app.items()).toEqual([
    { kind: 'revenue', amount: 499.5, currency: 'INR', transaction_id: 'T-1', items, attrs: { coupon: 'C' }, targets },
    { kind: 'revenue', amount: 1, transaction_id: 'T-2', targets },
    { kind: 'analytics', name: 'purchase', attrs: { currency: 'INR' }, targets },
  ]);
});

test('the same user keeps e-mail and name, another one does not', async () => {
  app.client.scope({ scope: 'user' });
  Sentry.setUser({ id: 'u-1', email: 'a@example.com' });
  await analytics().setUserId('u-1');
  await analytics().setUserId('u-2');
  await analytics().setUserId(null);
  expect(app.items().slice(1)).toEqual([
    { scope: 'user', id: 'u-1', email: 'a@example.com' },
    { scope: 'user', id: 'u-1', email: 'a@example.com' },
    { scope: 'user', id: 'u-2' },
    { scope: 'user' },
  ]);
});

test('properties of the user are set and unset at GA4', async () => {
  await analytics().setUserProperties({ plan: 'pro', city: null });
  expect(app.items()).toEqual([
    { kind: 'user_prop', op: 'set', name: 'plan', value: 'pro', targets },
    { kind: 'user_prop', op: 'unset', name: 'city', targets },
  ]);
});

test('default parameters are super properties of GA4 until null removes them', async () => {
  await analytics().setDefaultEventParameters({ store: 's-7', tier: 1 });
  await analytics().setDefaultEventParameters(null);
  expect(app.items()).toEqual([
    { scope: 'super', attrs: { store: 's-7', tier: 1 }, targets },
    { scope: 'super_unset', name: 'store' },
    { scope: 'super_unset', name: 'tier' },
  ]);
});

test('collection, consent and erasure are calls of the engine', async () => {
  await analytics().setAnalyticsCollectionEnabled(false);
  await modular.setAnalyticsCollectionEnabled(getAnalytics(), true);
  await analytics().setConsent({ analytics_storage: false, ad_storage: true });
  await analytics().setConsent({ ad_storage: true });
  await analytics().resetAnalyticsData();
  expect(app.port.calls.slice(1)).toEqual([
    ['pauseDestination', 'ga4'],
    ['resumeDestination', 'ga4'],
    ['setConsent', 'analytics', 'denied'],
    ['forgetUser'],
  ]);
});

test('`configure` opens the engine with GA4 and consent, and without a key says so', () => {
  app = freshApp();
  expect(modular.configure({ measurementId: 'G-1', environment: 'ci' })).toMatchObject({
    problems: ['ga4 is off: `key` is missing'],
  });
  app = freshApp();
  modular.configure({ measurementId: 'G-1', key: 'secret' });
  expect(app.destinations()).toEqual([{ name: 'ga4', kind: 'ga4', measurementId: 'G-1', key: 'secret' }]);
  freshApp();
});

test('what was decided before `configure` holds before anything is recorded', async () => {
  const order: string[] = [];
  const note = (name: string) => () => order.push(name) > 0;
  const text = (name: string) => () => (order.push(name) > 0 ? '' : '');
  app = freshApp({
    setConsent: note('setConsent'),
    pauseDestination: text('pauseDestination'),
    recordBatch: note('recordBatch'),
  });
  await analytics().logEvent('early');
  await analytics().setConsent({ analytics_storage: 'denied' });
  await analytics().setAnalyticsCollectionEnabled(false);
  modular.configure({ measurementId: 'G-1', key: 'secret' });
  expect(app.port.calls.slice(0, 3)).toMatchObject([
    ['open', expect.any(String), expect.any(String)],
    ['setConsent', 'analytics', 'denied'],
    ['pauseDestination', 'ga4'],
  ]);
  expect(order.slice(0, 3)).toEqual(['setConsent', 'pauseDestination', 'recordBatch']);
  freshApp();
});

test('whatever is passed, no promise is rejected', async () => {
  for (const one of HOSTILE as never[]) {
    await analytics().logEvent(one, one);
    await analytics().logScreenView(one);
    await analytics().logPurchase(one);
    await analytics().setUserId(one);
    await analytics().setUserProperties(one);
    await analytics().setDefaultEventParameters(one);
    await analytics().setConsent(one);
    await modular.logSearch(one, one);
    modular.configure(one);
  }
  freshApp();
});
