/** What stands above the app: who shows it, when, and what never reaches the app. */
import { Modal, Text, View } from 'react-native';
import { init } from '../../api/init';
import { showFeedback } from '../../feedback/show';
import { RezInspector } from '../../inspector/inspector';
import { startInspector, stopInspector } from '../../inspector/start';
import { withMonitor } from '../../react/with-monitor';
import { freshApp } from '../../testing/app';
import { act, render, unmountAll } from '../../testing/screen';
import { later } from '../later';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));
jest.setTimeout(120_000);

const scope = globalThis as { __DEV__?: boolean };
const GRANTED = { monitoring: 'granted', analytics: 'granted' } as const;
const App = withMonitor(() => <Text>shop</Text>);
let app: ReturnType<typeof freshApp>;
let warn: jest.SpyInstance;

beforeEach(() => {
  jest.useFakeTimers();
  scope.__DEV__ = true;
  app = freshApp();
  app.open();
  // Each line is printed once per process, so a test looks for its own.
  warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(async () => {
  await unmountAll();
  scope.__DEV__ = true;
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const lines = () => warn.mock.calls.map(([line]) => String(line));

async function open(): Promise<boolean | undefined> {
  let shown: boolean | undefined;
  await act(async () => {
    shown = startInspector();
  });
  return shown;
}

test('startInspector opens the inspector above the app, and stopInspector closes it', async () => {
  const screen = await render(<App />);
  expect(screen.tree.root.findAllByType(Modal)).toHaveLength(0);
  expect(await open()).toBe(true);
  expect(screen.find('rez-inspector')).toBeDefined();
  expect(screen.text()).toContain('shop');
  await open();
  expect(screen.tree.root.findAllByType(Modal)).toHaveLength(1);
  await act(async () => stopInspector());
  expect(screen.find('rez-inspector')).toBeUndefined();
  expect(stopInspector).not.toThrow();
});

test('the user closes it by its button, and by the back key', async () => {
  const screen = await render(<App />);
  await open();
  await screen.press('rez-inspector-close');
  expect(screen.find('rez-inspector')).toBeUndefined();
  await open();
  await act(async () => screen.tree.root.findByType(Modal).props.onRequestClose());
  expect(screen.find('rez-inspector')).toBeUndefined();
});

test('started before the app is mounted it opens when it is, and says so', async () => {
  expect(await open()).toBe(false);
  expect(lines()).toEqual([expect.stringContaining('opens when `withMonitor(App)` is mounted')]);
  const screen = await render(<App />);
  expect(screen.find('rez-inspector')).toBeDefined();
});

test('of two roots the one that was mounted last shows it, and the other one after its end', async () => {
  const first = await render(<App />);
  const second = await render(<App />);
  await open();
  expect([first, second].map((root) => root.find('rez-inspector') !== undefined)).toEqual([false, true]);
  await act(async () => second.tree.unmount());
  expect(first.find('rez-inspector')).toBeDefined();
});

test('a release build shows nothing and says so in one line, unless it is allowed', async () => {
  scope.__DEV__ = false;
  const screen = await render(<App />);
  expect([await open(), await open()]).toEqual([false, false]);
  const own = await render(<RezInspector />);
  expect(own.tree.toJSON()).toBeNull();
  expect(lines()).toEqual([expect.stringContaining('in a release build; pass `inspector: true` to `init`')]);
  expect(screen.find('rez-inspector')).toBeUndefined();

  expect((await render(<RezInspector enabled />)).find('rez-inspector')).toBeDefined();
  await act(async () => expect(startInspector({ enabled: true })).toBe(true));
  expect(screen.find('rez-inspector')).toBeDefined();
  await act(async () => stopInspector());
});

test('init decides for the whole app, and the caller decides over init', async () => {
  scope.__DEV__ = false;
  freshApp();
  init({ consent: { monitoring: 'granted', analytics: 'granted' }, inspector: true });
  const screen = await render(<App />);
  expect(await open()).toBe(true);
  await act(async () => stopInspector());
  expect(startInspector({ enabled: false })).toBe(false);
  scope.__DEV__ = true;
  freshApp();
  init({ consent: GRANTED, inspector: false });
  expect(await open()).toBe(false);
  expect(screen.find('rez-inspector')).toBeUndefined();
  // Each names who has decided; none blames a release build.
  expect(lines().filter((line) => line.includes('the inspector shows nothing'))).toEqual([
    expect.stringContaining('says `enabled: false`'),
    expect.stringContaining('`init` says `inspector: false`'),
  ]);
});

test.each([
  [true, true, true],
  [true, undefined, true],
  [true, false, false],
  [false, true, true],
  [false, undefined, undefined],
  [false, false, false],
])('with __DEV__ %s and the switch %s, the engine is told %s', (dev, inspector, told) => {
  scope.__DEV__ = dev;
  app = freshApp();
  init({ consent: GRANTED, ...(inspector !== undefined && { inspector }) });
  expect(app.settings().inspector).toBe(told);
});

test.each([
  [undefined, true],
  [false, false],
])('a release build in test mode with the switch %s tells the engine and the app %s', async (inspector, allowed) => {
  scope.__DEV__ = false;
  app = freshApp();
  init({ consent: GRANTED, testMode: true, testSeed: 7, ...(inspector !== undefined && { inspector }) });
  expect(app.settings()).toMatchObject({ inspector: allowed, testMode: true, testSeed: 7 });
  await render(<App />);
  expect(await open()).toBe(allowed);
  await act(async () => stopInspector());
});

test('a second init does not change the switch', async () => {
  await render(<App />);
  init({ consent: GRANTED, inspector: false });
  expect(await open()).toBe(true);
  await act(async () => stopInspector());
});

test('a form takes the place of the inspector, and stopInspector leaves it open', async () => {
  const screen = await render(<App />);
  await open();
  await act(async () => expect(showFeedback()).toBe(true));
  expect([screen.find('rez-inspector'), screen.find('rez-feedback')]).toEqual([undefined, expect.anything()]);
  await act(async () => stopInspector());
  expect(screen.find('rez-feedback')).toBeDefined();
});

test('what is touched above the app is no tap of the user, also on a route of its own', async () => {
  const screen = await render(<App />);
  await open();
  const root = screen.tree.root.findAllByType(View)[0];
  expect(root?.findAllByProps({ testID: 'rez-inspector' })).toHaveLength(0);
  const button = { memoizedProps: { testID: 'rez-inspector-send' }, return: null };
  root?.props.onTouchEndCapture({ _targetInst: button });
  root?.props.onTouchEndCapture({ _targetInst: { memoizedProps: {}, return: button } });
  app.client.drain();
  expect(app.port.items()).toEqual([]);
});

test('a page that fails is one sentence that the user can close; the app goes on, and the next page is loaded anew', async () => {
  jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const closed = jest.fn();
  let broken = true;
  const Page = later<{ onClose: () => void }>(() => {
    if (broken) throw new Error('no network');
    return () => <Text>page</Text>;
  });
  const screen = await render(<Page onClose={closed} />);
  expect(screen.text('rez-overlay-failed')).toContain('this page failed: Error: no network');
  await screen.press('rez-overlay-failed');
  expect(closed).toHaveBeenCalledTimes(1);
  broken = false;
  expect((await render(<Page onClose={closed} />)).text()).toBe('page');
});

test('nothing of the pages is loaded before one is shown', async () => {
  const loaded: string[] = [];
  await jest.isolateModulesAsync(async () => {
    for (const name of ['../layer', '../../inspector/pages', '../../feedback/form']) {
      jest.doMock(name, () => {
        loaded.push(name);
        return {};
      });
    }
    require('../../index');
    expect(loaded).toEqual([]);
    // @ts-expect-error: it is JavaScript without declarations.
    await import('../pages.js');
    expect(loaded).toHaveLength(3);
  });
});
