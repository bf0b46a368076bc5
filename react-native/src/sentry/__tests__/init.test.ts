import { trackAPICall } from '../../api/timing';
import { isTracingTarget } from '../../core/targets';
import { unsupportedFeatures } from '../../core/unsupported';
import { freshApp, HOSTILE } from '../../testing/app';
import * as Sentry from '..';

let warn: jest.SpyInstance;
afterEach(() => void freshApp());
beforeEach(() => {
  warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

const dsn = 'https://k@o1.ingest.sentry.io/1';

test('the options of the guide become settings, with consent to both purposes', () => {
  const app = freshApp();
  const routingInstrumentation = new Sentry.ReactNavigationInstrumentation();
  const result = Sentry.init({
    dsn,
    environment: 'production',
    enableInExpoDevelopment: true,
    debug: false,
    tracesSampleRate: 0.25,
    tracingOrigins: ['localhost', /^\//],
    release: 'rezapp-mobile@2.4.1',
    integrations: [
      new Sentry.ReactNativeTracing({ routingInstrumentation, tracingOrigins: ['api.rezapp.com', 'localhost'] }),
    ],
  });
  expect(result).toMatchObject({ recording: true, problems: [] });
  expect(app.settings()).toEqual({
    environment: 'production',
    release: 'rezapp-mobile@2.4.1',
    debug: false,
    inspector: true,
    traceTargets: ['localhost', 'api.rezapp.com'],
    screens: true,
    breadcrumbNavigation: true,
    consentMonitoring: 'granted',
    consentAnalytics: 'granted',
    destinations: [{ name: 'sentry', kind: 'sentry', dsn, tracesSampleRate: 0.25 }],
  });
  expect(['/orders', 'https://api.rezapp.com/x', 'https://other.example/'].map(isTracingTarget)).toEqual([
    true,
    true,
    false,
  ]);
  expect(unsupportedFeatures()).toEqual([]);
});

test('without a DSN the destination is off, with a line, and the engine records', () => {
  const app = freshApp();
  expect(Sentry.init({ dsn: undefined, debug: true })).toMatchObject({
    recording: true,
    problems: ['sentry is off: `dsn` is missing'],
  });
  expect(warn).toHaveBeenCalledWith('[rez] sentry is off: `dsn` is missing');
  expect(app.settings().destinations).toEqual([]);
});

test.each([{ enabled: false }, { enableInExpoDevelopment: false }])('%j opens nothing in development', (options) => {
  const app = freshApp();
  expect(Sentry.init({ dsn, ...options })).toEqual({ recording: false, problems: [] });
  expect(app.port.calls).toEqual([]);
});

test('an engine that is open gets the destination, the release and the rules', () => {
  const app = freshApp();
  app.open();
  Sentry.init({ dsn, release: 'a@1', dist: '7', tracingOrigins: ['api.rezapp.com'] });
  expect(app.destinations().at(-1)).toEqual({ name: 'sentry', kind: 'sentry', dsn });
  expect(app.port.calls).toContainEqual(['setRelease', 'a@1', '7']);
  expect(isTracingTarget('https://api.rezapp.com/')).toBe(true);
});

test('options without an effect are listed', () => {
  freshApp();
  Sentry.init({ dsn, profilesSampleRate: 1, integrations: () => [{ name: 'Other' }] });
  expect(unsupportedFeatures()).toEqual([
    'Sentry.init({ profilesSampleRate }): the option has no effect',
    'Sentry.init({ integrations }): only `ReactNativeTracing` and `ReactNavigationInstrumentation` have an effect',
  ]);
});

test('no options and no engine throw nothing', () => {
  for (const answers of [{}, { open: () => 'garbage' }]) {
    for (const options of HOSTILE) {
      freshApp(answers);
      expect(() => Sentry.init(options as Sentry.Options)).not.toThrow();
      expect(() =>
        Sentry.init({ dsn, integrations: options, tracingOrigins: options } as Sentry.Options),
      ).not.toThrow();
    }
  }
});

test('a request that only a regular expression allows carries the trace', () => {
  freshApp();
  Sentry.init({ dsn, tracingOrigins: [/rezapp\.com\/v\d/] });
  const call = trackAPICall('GET', 'https://eu.rezapp.com/v1/orders');
  expect(call.headers()).toEqual({ traceparent: `00-${call.trace.trace_id}-${call.trace.span_id}-01` });
  expect(trackAPICall('GET', 'https://other.example/?rezapp.com/v1').headers()).toEqual({});
});

test('a navigation container that is registered is observed until another one is', () => {
  const app = freshApp();
  app.open();
  const instrumentation = new Sentry.ReactNavigationInstrumentation();
  const container = (name: string) => {
    const listeners: (() => void)[] = [];
    const addListener = (_: string, listener: () => void) => {
      listeners.push(listener);
      return () => void listeners.splice(0);
    };
    return { listeners, ref: { current: { getCurrentRoute: () => ({ name, key: name }), addListener } } };
  };
  const [first, second] = [container('Home'), container('Cart')];
  instrumentation.registerNavigationContainer(first.ref);
  instrumentation.registerNavigationContainer(second.ref);
  expect([first.listeners.length, second.listeners.length]).toEqual([0, 1]);
  expect(app.items()).toContainEqual(expect.objectContaining({ scope: 'screen', name: 'Cart' }));
  for (const one of HOSTILE) expect(() => instrumentation.registerNavigationContainer(one)).not.toThrow();
});
