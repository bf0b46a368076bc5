import { unsupportedFeatures } from '../../core/unsupported';
import { freshApp, HOSTILE } from '../../testing/app';
import * as guide from '..';

let app: ReturnType<typeof freshApp>;
let warn: jest.SpyInstance;
let log: jest.SpyInstance;
beforeEach(() => {
  app = freshApp();
  warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  log = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  for (const spy of [warn, log]) spy.mockClear();
});
afterEach(() => void freshApp());

const { analyticsService, mixpanelService } = guide;
const dsn = 'https://k@o1.ingest.sentry.io/1';

test('Sentry is disabled in development, with the line of the guide', () => {
  guide.initSentry({ dsn });
  expect(log.mock.calls).toEqual([['Sentry disabled in development']]);
  expect(app.port.calls).toEqual([]);
});

test('in production Sentry has the options of the guide, the keys of `init`, and no cookies', () => {
  (globalThis as { __DEV__?: boolean }).__DEV__ = false;
  try {
    guide.init({ environment: 'production', version: '2.4.1', sentry: { dsn } });
    guide.initSentry();
  } finally {
    (globalThis as { __DEV__?: boolean }).__DEV__ = true;
  }
  expect(app.settings()).toMatchObject({
    environment: 'production',
    release: 'rezapp-mobile@2.4.1',
    debug: false,
    screens: true,
    traceTargets: ['localhost', 'api.rezapp.com'],
    destinations: [{ name: 'sentry', dsn, tracesSampleRate: 1 }],
  });
  expect(log).not.toHaveBeenCalled();
});

test('errors, messages, users and breadcrumbs', () => {
  app.open();
  guide.logError(new TypeError('no cart'), { cart: 'c-17', items: 3 });
  guide.logError(new TypeError('no cart'));
  guide.logMessage('checkout opened');
  guide.logMessage('checkout failed', 'error');
  guide.setUser({ id: 'u-42', email: 'asha@example.com', username: 'asha' });
  guide.clearUser();
  guide.addBreadcrumb({ category: 'navigation', message: 'to Checkout' });
  const [withContext, without, ...rest] = app.items();
  expect(withContext).toMatchObject({ kind: 'error', context: { extra: { cart: 'c-17', items: 3 } } });
  expect(without).not.toHaveProperty('context');
  expect(rest).toEqual([
    { kind: 'message', message: 'checkout opened', level: 'info' },
    { kind: 'message', message: 'checkout failed', level: 'error' },
    { scope: 'user', id: 'u-42', email: 'asha@example.com', username: 'asha' },
    { scope: 'user' },
    { breadcrumb: { category: 'navigation', message: 'to Checkout' } },
  ]);
});

test('Datadog has the options of the guide', async () => {
  guide.init({ environment: 'ci', version: '2.4.1', datadog: { applicationId: 'app', clientToken: 'token' } });
  guide.initDatadog();
  await new Promise(setImmediate);
  expect(app.destinations().at(-1)).toEqual({
    name: 'datadog',
    kind: 'datadog',
    applicationId: 'app',
    key: 'token',
    site: 'datadoghq.com',
    service: 'rezapp-mobile',
    sessionSampleRate: 1,
    logSampleRate: 1,
    forwardErrorsToLogs: true,
    maskUserInput: true,
    trackUserInteractions: true,
    trackResources: true,
    trackLongTasks: true,
  });
  expect(unsupportedFeatures()).toHaveLength(1);
});

test('analytics records nothing in development, and opens nothing', async () => {
  guide.init({ ga4: { measurementId: 'G-1', key: 'secret' } });
  expect(app.port.calls).toEqual([]);
  app.open();
  await analyticsService.logEvent('x');
  await analyticsService.logPurchase({ transactionId: 'T', value: 1, currency: 'INR', items: [] });
  await analyticsService.setUserId('u');
  expect(app.items()).toEqual([]);
});

test('each method of analytics in production, for GA4 alone', async () => {
  guide.init({ isProduction: true, ga4: { measurementId: 'G-1', key: 'secret' } });
  expect(app.destinations()).toMatchObject([{ name: 'ga4', measurementId: 'G-1', key: 'secret' }]);
  const item = { id: 'p-1', name: 'Tea', price: 249.75 };
  await analyticsService.logScreenView('Store');
  await analyticsService.logScreenView('Store', 'StoreScreen');
  await analyticsService.logEvent('filter_used', { count: 3 });
  await analyticsService.setUserProperty('plan', 'pro');
  await analyticsService.logPurchase({ transactionId: 'T-9001', value: 499.5, currency: 'INR', items: [item] });
  await analyticsService.logAddToCart(item);
  await analyticsService.logRemoveFromCart(item);
  await analyticsService.logBeginCheckout(348.75, [item]);
  await analyticsService.logSearch('masala chai');
  await analyticsService.logShare('product', 'p-1');
  await analyticsService.logSignUp('phone');
  await analyticsService.logLogin('otp');
  await analyticsService.logStoreView('s-7', 'Chai Point');
  await analyticsService.logProductView('p-1', 'Tea', 249.75);
  await analyticsService.logBillUpload(1250);
  await analyticsService.logCashbackEarned(62.5);
  await analyticsService.logReferralSent();
  const cart = { items: [item], value: 249.75, currency: 'INR' };
  const event = (name: string, attrs?: object) => ({ kind: 'analytics', name, ...(attrs && { attrs }) });
  expect(app.items()).toEqual(
    [
      { kind: 'screen_view', name: 'Store', class: 'Store' },
      { kind: 'screen_view', name: 'Store', class: 'StoreScreen' },
      event('filter_used', { count: 3 }),
      { kind: 'user_prop', op: 'set', name: 'plan', value: 'pro' },
      { kind: 'revenue', amount: 499.5, currency: 'INR', transaction_id: 'T-9001', items: [item] },
      event('add_to_cart', cart),
      event('remove_from_cart', cart),
      event('begin_checkout', { value: 348.75, currency: 'INR', items: [item] }),
      event('search', { search_term: 'masala chai' }),
      event('share', { content_type: 'product', item_id: 'p-1', method: 'share' }),
      event('sign_up', { method: 'phone' }),
      event('login', { method: 'otp' }),
      event('view_store', { store_id: 's-7', store_name: 'Chai Point' }),
      event('view_item', { items: [{ item_id: 'p-1', item_name: 'Tea', price: 249.75 }] }),
      event('bill_upload', { amount: 1250 }),
      event('cashback_earned', { amount: 62.5 }),
      event('referral_sent'),
    ].map((one) => ({ ...one, targets: ['ga4'] })),
  );
});

test('setEnabled(false) records nothing and holds GA4; true resumes both', async () => {
  guide.init({ isProduction: () => true });
  app.open();
  analyticsService.setEnabled(false);
  await analyticsService.logSearch('tea');
  analyticsService.setEnabled(true);
  await analyticsService.logSearch('chai');
  expect(app.items()).toMatchObject([{ attrs: { search_term: 'chai' } }]);
  expect(app.port.calls.slice(1)).toEqual([
    ['pauseDestination', 'ga4'],
    ['resumeDestination', 'ga4'],
  ]);
});

test('Mixpanel does nothing before `initialize`, and nothing without a token', async () => {
  app.open();
  await mixpanelService.initialize();
  mixpanelService.track('x');
  mixpanelService.identify('u');
  mixpanelService.setUserProperties({ a: 1 });
  mixpanelService.incrementUserProperty('n');
  mixpanelService.trackRevenue(1);
  mixpanelService.reset();
  expect(app.items()).toEqual([]);
  expect(app.port.calls).toHaveLength(1);
  expect(warn).toHaveBeenCalledTimes(1);
});

test('Mixpanel records for itself alone', async () => {
  guide.init({ mixpanel: { token: 'token' } });
  await mixpanelService.initialize();
  mixpanelService.track('Offer Opened', { offer_id: 'o-3' });
  mixpanelService.identify('u-42');
  mixpanelService.setUserProperties({ city: 'Pune', orders: 4 });
  mixpanelService.incrementUserProperty('orders');
  mixpanelService.incrementUserProperty('orders', 2);
  mixpanelService.trackRevenue(99);
  mixpanelService.reset();
  const targets = ['mixpanel'];
  expect(app.items()).toEqual([
    { kind: 'analytics', name: 'Offer Opened', attrs: { offer_id: 'o-3' }, targets },
    { scope: 'user', id: 'u-42' },
    { kind: 'user_prop', op: 'set', name: 'city', value: 'Pune', targets },
    { kind: 'user_prop', op: 'set', name: 'orders', value: 4, targets },
    { kind: 'user_prop', op: 'increment', name: 'orders', by: 1, targets },
    { kind: 'user_prop', op: 'increment', name: 'orders', by: 2, targets },
    { kind: 'revenue', amount: 99, targets },
    { scope: 'user' },
    { scope: 'super_clear' },
  ]);
});

test('whatever is passed, nothing is thrown', async () => {
  for (const one of HOSTILE as never[]) {
    guide.init(one);
    guide.initSentry(one);
    guide.initDatadog(one);
    guide.logError(one, one);
    guide.logMessage(one, one);
    guide.setUser(one);
    guide.addBreadcrumb(one);
    await mixpanelService.initialize(one);
    mixpanelService.track(one, one);
    guide.init({ isProduction: true });
    await analyticsService.logAddToCart(one);
    await analyticsService.logEvent(one, one);
    await analyticsService.logPurchase(one);
    app = freshApp();
  }
});
