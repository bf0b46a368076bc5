import * as rez from '@rez/monitor';
import { captureException, init, logEvent, people } from '@rez/monitor';
import { recorded, reset } from '@rez/monitor/jest';
import { act, create } from 'react-test-renderer';
import { Cart, openCart, pay, signIn } from './cart';

jest.mock('@rez/monitor', () => require('@rez/monitor/jest'));

beforeEach(reset);

test('a failed payment is reported with its step', async () => {
  const id = await pay(() => Promise.reject(new TypeError('card declined')));
  expect(captureException).toHaveBeenCalledWith(expect.any(TypeError), { tags: { step: 'charge' } });
  expect(recorded('error')).toMatchObject([
    { id, type: 'TypeError', message: 'card declined', tags: { step: 'charge' } },
  ]);
  expect(recorded('analytics')).toMatchObject([{ name: 'begin_checkout', attrs: { value: 1499.5 } }]);
});

test('reset forgets the test before', () => {
  expect(recorded()).toEqual([]);
  expect(captureException).not.toHaveBeenCalled();
});

test('users, breadcrumbs and screens are in the list', () => {
  signIn('u-42');
  rez.addBreadcrumb({ message: 'Pay' });
  openCart();
  expect(recorded('scope')[0]).toEqual({ scope: 'user', id: 'u-42' });
  expect(recorded('breadcrumb')).toEqual([{ breadcrumb: { message: 'Pay' } }]);
  expect(recorded('screen_load')).toMatchObject([{ name: 'Cart' }]);
});

test('what a component throws is recorded, and its fallback is shown', () => {
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
  let tree;
  act(() => {
    tree = create(<Cart broken />);
  });
  expect(JSON.stringify(tree.toJSON())).toContain('sorry');
  expect(recorded('error')).toMatchObject([{ message: 'no items' }]);
});

test('init answers that it records, names a missing key and installs nothing', () => {
  const { fetch, console: before } = globalThis;
  const log = console.log;
  const result = init({ consent: { monitoring: 'granted', analytics: 'granted' }, sentry: {}, mixpanel: { key: 't' } });
  expect(result).toEqual({ recording: true, problems: ['sentry is off: `dsn` is missing'] });
  expect([globalThis.fetch, globalThis.console, console.log]).toEqual([fetch, before, log]);
});

test('beforeSend of the app runs, and what it drops is not in the list', () => {
  init({ beforeSend: (event) => (event.name === 'secret' ? null : { ...event, attrs: { scrubbed: true } }) });
  logEvent('secret');
  logEvent('e', { card: '4242' });
  expect(recorded()).toMatchObject([{ name: 'e', attrs: { scrubbed: true } }]);
});

test('init that is not enabled records nothing, also after reset, until another init', () => {
  expect(init({ enabled: false })).toEqual({ recording: false, problems: [] });
  expect(logEvent('e')).toBe('');
  reset();
  expect(logEvent('e')).toBe('');
  expect(recorded()).toEqual([]);
  init({});
  logEvent('e');
  expect(recorded()).toHaveLength(1);
});

test('the hooks of init are there after reset, also after close', async () => {
  init({ beforeSend: (event) => (event.name === 'secret' ? null : event) });
  reset();
  expect(logEvent('secret')).toBe('');
  await rez.close();
  reset();
  expect(logEvent('secret')).toBe('');
  expect(logEvent('e')).not.toBe('');
  await rez.close();
  init({});
  expect(logEvent('secret')).not.toBe('');
});

test('init says whether the inspector opens', () => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const App = rez.withMonitor(() => null);
  let tree;
  act(() => {
    tree = create(<App />);
  });
  init({ inspector: false });
  expect(rez.startInspector()).toBe(false);
  init({ inspector: true });
  act(() => tree.unmount());
});

test('reset ends what the app has registered', () => {
  const listeners = new Set();
  const navigation = {
    isReady: () => true,
    getCurrentRoute: () => ({ name: 'Cart', key: 'Cart-1' }),
    addListener: (_, listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  rez.registerNavigation(navigation);
  expect(listeners.size).toBeGreaterThan(0);
  reset();
  expect(listeners.size).toBe(0);
});

test('the calls that wait resolve at once, and close ends the recording', async () => {
  logEvent('e');
  expect(await rez.flush()).toEqual({ destinations: [] });
  expect(await rez.persist()).toBe('');
  rez.forgetUser();
  expect(recorded()).toEqual([]);
  await rez.close();
  logEvent('e');
  expect(recorded()).toEqual([]);
});

test('each name of the package is there, calls and members as spies', () => {
  const real = jest.requireActual('@rez/monitor');
  const mock = jest.requireMock('@rez/monitor');
  expect(Object.keys(mock).sort()).toEqual([...Object.keys(real), 'recorded', 'reset'].sort());
  const calls = Object.keys(real).filter((name) => typeof real[name] === 'function' && /^[a-z]/.test(name));
  expect(calls.length).toBeGreaterThan(35);
  for (const name of calls) expect([name, jest.isMockFunction(mock[name])]).toEqual([name, true]);
  for (const name of ['people', 'superProperties']) {
    expect(Object.keys(mock[name])).toEqual(Object.keys(real[name]));
    for (const member of Object.values(mock[name])) expect(jest.isMockFunction(member)).toBe(true);
  }
  expect(rez.trackScreenLoad('Cart')).toBeInstanceOf(rez.ScreenLoad);
  people.increment('orders');
  expect(people.increment).toHaveBeenCalledWith('orders');
});

test('a spy is replaced for one test', () => {
  captureException.mockReturnValueOnce('id');
  expect(captureException(new Error('m'))).toBe('id');
  expect(recorded('error')).toEqual([]);
});

test('what is recorded cannot be changed from outside', () => {
  logEvent('e');
  recorded()[0].name = 'changed';
  expect(recorded()[0].name).toBe('e');
});
