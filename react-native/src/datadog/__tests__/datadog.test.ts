import { unsupportedFeatures } from '../../core/unsupported';
import { freshApp, HOSTILE } from '../../testing/app';
import { datadogLogs, datadogRum } from '..';

let warn: jest.SpyInstance;
beforeEach(() => {
  warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  warn.mockClear();
});
afterEach(() => void freshApp());

/** Lets what was planned for the end of the tick happen. */
const tick = () => new Promise(setImmediate);

const RUM = {
  applicationId: 'app-id',
  clientToken: 'token',
  site: 'datadoghq.eu',
  service: 'rezapp-mobile',
  env: 'production',
  version: '2.4.1',
  sessionSampleRate: 20,
  sessionReplaySampleRate: 20,
  trackUserInteractions: true,
  trackResources: false,
  trackLongTasks: true,
  defaultPrivacyLevel: 'mask-user-input',
} as const;

test('RUM and logs are one destination, and rates are shares', async () => {
  const app = freshApp();
  expect(datadogRum.init(RUM)).toMatchObject({ recording: true, problems: [] });
  datadogLogs.init({ clientToken: 'token', site: 'datadoghq.eu', forwardErrorsToLogs: true, sessionSampleRate: 50 });
  expect(app.settings()).toMatchObject({
    environment: 'production',
    release: '2.4.1',
    consentMonitoring: 'granted',
    consentAnalytics: 'granted',
  });
  const rum = {
    name: 'datadog',
    kind: 'datadog',
    applicationId: 'app-id',
    key: 'token',
    site: 'datadoghq.eu',
    service: 'rezapp-mobile',
    sessionSampleRate: 0.2,
    maskUserInput: true,
    trackUserInteractions: true,
    trackResources: false,
    trackLongTasks: true,
  };
  expect(app.destinations()).toEqual([]);
  await tick();
  expect(app.destinations()).toEqual([{ ...rum, logSampleRate: 0.5, forwardErrorsToLogs: true }]);
  expect(unsupportedFeatures()).toEqual([]);
});

test('an option that comes later replaces the destination', async () => {
  const app = freshApp();
  datadogRum.init({ applicationId: 'app-id', clientToken: 'token' });
  await tick();
  datadogLogs.init({ clientToken: 'token', forwardErrorsToLogs: true });
  await tick();
  expect(app.destinations()).toHaveLength(2);
  expect(app.destinations()[1]).toMatchObject({ applicationId: 'app-id', forwardErrorsToLogs: true });
});

test('logs before RUM wait for the application id', async () => {
  const app = freshApp();
  datadogLogs.init({ clientToken: 'token', forwardErrorsToLogs: true });
  expect(app.destinations()).toEqual([]);
  datadogRum.init({ applicationId: 'app-id', clientToken: 'token' });
  await tick();
  expect(app.destinations()).toMatchObject([{ applicationId: 'app-id', key: 'token', forwardErrorsToLogs: true }]);
});

test.each([
  ['mask', true],
  ['mask-user-input', true],
  ['allow', false],
] as const)('the privacy level %s sets maskUserInput to %s', async (defaultPrivacyLevel, maskUserInput) => {
  const app = freshApp();
  datadogRum.init({ applicationId: 'a', clientToken: 't', defaultPrivacyLevel });
  await tick();
  expect(app.destinations()).toMatchObject([{ maskUserInput }]);
});

test('session replay is told once and listed', () => {
  freshApp();
  datadogRum.startSessionReplayRecording();
  datadogRum.startSessionReplayRecording();
  expect(unsupportedFeatures()).toHaveLength(1);
  expect(unsupportedFeatures()[0]).toMatch(
    /^datadogRum.startSessionReplayRecording\(\): session replay is not supported yet/,
  );
  expect(warn).toHaveBeenCalledTimes(1);
});

test('a missing key and a wrong rate cost one line each', () => {
  const app = freshApp();
  const result = datadogRum.init({ applicationId: 'a', clientToken: undefined, sessionSampleRate: 250 });
  expect(result).toMatchObject({ recording: true, problems: ['datadog is off: `key` is missing'] });
  expect(app.destinations()).toEqual([]);
  expect(warn).toHaveBeenCalledWith('[rez] datadogRum.init: a sample rate is a number from 0 to 100; 100 is used');
});

test('user, errors, actions and log entries', () => {
  const app = freshApp();
  app.open();
  datadogRum.setUser({ id: 'u-42', name: 'asha', plan: 'gold' });
  datadogRum.addError(new RangeError('x'), { cart: 1 });
  datadogRum.addAction('checkout', { items: 2 });
  datadogLogs.logger.warn('low stock', { sku: 'p-1' });
  datadogLogs.logger.error('failed', undefined, new Error('why'));
  datadogRum.clearUser();
  expect(app.items()).toMatchObject([
    { scope: 'user', id: 'u-42', username: 'asha', extra: { plan: 'gold' } },
    { kind: 'error', type: 'RangeError', context: { cart: 1 } },
    { kind: 'interaction', action: 'custom', component: 'checkout', attrs: { items: 2 }, targets: ['datadog'] },
    { kind: 'log', level: 'warning', message: 'low stock', attrs: { sku: 'p-1' } },
    { kind: 'log', level: 'error', message: 'failed', attrs: { error: 'Error: why' } },
    { scope: 'user' },
  ]);
});

test('whatever is passed, nothing is thrown', () => {
  freshApp();
  for (const one of HOSTILE as never[]) {
    expect(() => datadogRum.init(one)).not.toThrow();
    expect(() => datadogLogs.init(one)).not.toThrow();
    expect(() => datadogRum.addError(one, one)).not.toThrow();
    expect(() => datadogRum.addAction(one, one)).not.toThrow();
    expect(() => datadogRum.setUser(one)).not.toThrow();
    expect(() => datadogLogs.logger.info(one, one, one)).not.toThrow();
  }
});

test('only the members of an object are attributes of a log entry', () => {
  const app = freshApp();
  app.open();
  for (const context of ['ctx', 7, ['a'], null, undefined]) datadogLogs.logger.info('a', context as never);
  datadogLogs.logger.info('b', { sku: 'p-1' });
  expect(app.items()).toEqual([
    ...Array(5).fill({ kind: 'log', message: 'a', level: 'info' }),
    { kind: 'log', message: 'b', level: 'info', attrs: { sku: 'p-1' } },
  ]);
});
