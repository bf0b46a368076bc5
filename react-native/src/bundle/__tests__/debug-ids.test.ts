import { captureException } from '../../api/capture';
import { setConsent } from '../../api/delivery';
import { close, init } from '../../api/init';
import { freshApp, HOSTILE, QUIET } from '../../testing/app';
import { debugIds, registered } from '../debug-ids';

const A = '85314830-023f-5cf1-a267-535f4e37bb17';
const B = '0f0c9a52-7d0d-5b8a-8a4e-6f2b1d3c4e5f';
const scope = globalThis as { _debugIds?: unknown; _sentryDebugIds?: unknown };
const hermes = (file: string) =>
  `Error\n    at anonymous (address at ${file}:1:44)\n    at global (address at ${file}:1:9)`;

afterEach(async () => {
  await close(0);
  delete scope._debugIds;
  delete scope._sentryDebugIds;
});

test('a file has the name that frames give it, in each engine', () => {
  const page = 'https://shop.example/_expo/static/js/web/index-0f.js';
  const container = '/private/var/containers/Bundle/Application/0B5E/Rez.app';
  scope._debugIds = {
    [hermes('index.android.bundle')]: A,
    [hermes('/data/user/0/app.rez/files/.expo-internal/63e4a1')]: A,
    [`@file://${container}/main.jsbundle:1:88\nglobal code@file:///x/main.jsbundle:1:1`]: A,
    [`Error\n    at ${page}?x=1:1:20\n    at ${page}:1:99`]: B,
  };
  expect(debugIds()).toEqual({
    'app:///index.android.bundle': A,
    'app:///63e4a1': A,
    'app:///main.jsbundle': A,
    'https://shop.example/_expo/static/js/web/index-0f.js': B,
  });
});

test('the id that the tools of Sentry have put into the source map wins', () => {
  scope._debugIds = { [hermes('a.bundle')]: A, [hermes('b.bundle')]: A };
  scope._sentryDebugIds = { [hermes('b.bundle')]: B.toUpperCase() };
  expect(debugIds()).toEqual({ 'app:///a.bundle': A, 'app:///b.bundle': B });
});

test('what is no id, and what names no file, is left out', () => {
  scope._debugIds = { [hermes('a.bundle')]: 'x', [hermes('b.bundle')]: 5, 'Error\n at map (native)': A, '': A };
  expect(debugIds()).toEqual({});
});

test('a page of a thousand files tells fifty', () => {
  scope._debugIds = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [hermes(`${at}.bundle`), A]));
  expect(Object.keys(debugIds())).toHaveLength(50);
});

test.each([...HOSTILE.keys()])('a registry that is no such thing (%i) does no harm', (at) => {
  const hostile = HOSTILE[at];
  scope._debugIds = hostile;
  scope._sentryDebugIds = { [hermes('a.bundle')]: hostile };
  expect(debugIds()).toEqual({});
  expect(registered()).toBeGreaterThan(0);
});

test('an error from before init and one after it follow the ids', () => {
  scope._debugIds = { [hermes('index.android.bundle')]: A };
  const { items } = freshApp();
  captureException(new Error('before'));
  init(QUIET);
  captureException(new Error('after'));
  const told = items().filter((item) => item.scope !== undefined || item.kind === 'error');
  expect(told.map(({ scope: change, message }) => change ?? message)).toEqual(['context', 'before', 'after']);
  expect(told[0]).toEqual({ scope: 'context', name: 'debug_ids', value: { 'app:///index.android.bundle': A } });
});

test('a file that is loaded later is told before the next error, once', () => {
  const { items } = freshApp();
  init(QUIET);
  captureException(new Error('1'));
  scope._debugIds = { [hermes('late.bundle')]: A };
  captureException(new Error('2'));
  captureException(new Error('3'));
  expect(items().map(({ name, message }) => name ?? message)).toEqual(['1', 'debug_ids', '2', '3']);
});

test('a denial of consent erases contexts, so the ids are told again', () => {
  scope._debugIds = { [hermes('index.android.bundle')]: A };
  const { items, client } = freshApp({ setConsent: () => true });
  init(QUIET);
  setConsent('monitoring', 'denied');
  client.forgetUser();
  expect(items().map(({ name }) => name)).toEqual(['debug_ids', 'debug_ids', 'debug_ids']);
});

test('a bundle without ids adds nothing to what is recorded', () => {
  const { items } = freshApp();
  init(QUIET);
  captureException(new Error('m'));
  expect(items().map(({ kind }) => kind)).toEqual(['error']);
});
