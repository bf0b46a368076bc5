/** The inspector on the real engine, which sends to a server on this machine: what a developer does in the first five minutes. */
import { createElement } from 'react';
import { close, init, logEvent, logScreenView, RezInspector } from '../src';
import { setClient } from '../src/core/carrier';
import { Client } from '../src/core/client';
import { SAMPLE_KINDS } from '../src/testing/kinds';
import { act, render, type Screen, unmountAll } from '../src/testing/screen';
import { addon, newEngine, newFolder, WAIT_MS } from './addon';
import { Collector } from './collector';

jest.mock('react-native', () => jest.requireActual('./elements'));

let collector: Collector;
let client: Client;

beforeEach(async () => {
  collector = await Collector.start();
  client = new Client({ port: newEngine() });
  setClient(client);
});

afterEach(async () => {
  await unmountAll();
  await client.close(WAIT_MS);
});

let folder: string;

function open(more: object = {}): void {
  const granted = { consentMonitoring: 'granted', consentAnalytics: 'granted' };
  const destinations = [collector.destination()];
  folder = newFolder();
  const settings = { folder, app: 'shop', release: 'shop@1.4.0+52', sessions: false, ...granted };
  expect(client.open({ ...settings, destinations, ...more })).toBe('');
}

const inspector = () => render(createElement(RezInspector, { enabled: true }));
const made = (screen: Screen) => SAMPLE_KINDS.map((kind) => screen.text(`rez-inspector-made-${kind}`));
const listed = (screen: Screen) =>
  screen.tree.root
    .findAll(({ type, props }) => typeof type === 'string' && /^rez-inspector-event-/.test(String(props.testID)))
    .map(({ props }) => String(props['aria-label']));

const isChosen = (screen: Screen, fault: string) =>
  screen.tree.root.findAllByProps({ testID: `rez-inspector-fault-${fault}`, 'aria-checked': true }).length > 0;

/** Waits, while the engine works, until this is true. */
async function until(screen: Screen, what: string, isTrue: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`not seen: ${what}; the screen says: ${screen.text()}`);
    await act(() => new Promise((resolve) => setTimeout(resolve, 20)));
  }
}

test('one of each kind is recorded, sent and explained, and stands in the list as sent', async () => {
  open();
  const screen = await inspector();
  await screen.press('rez-inspector-page-try');
  await screen.press('rez-inspector-make');
  await screen.press('rez-inspector-send');
  await until(screen, 'what was sent', () => /^team: /.test(screen.text('rez-inspector-notice')));
  await until(screen, 'each delivered', () => made(screen).every((text) => text.includes('delivered')));
  expect(collector.events().map(({ kind }) => kind)).toEqual(expect.arrayContaining(SAMPLE_KINDS));
  await screen.press('rez-inspector-page-queue');
  await screen.press('rez-inspector-state-sent');
  await until(screen, 'the list', () => listed(screen).length >= SAMPLE_KINDS.length);
  for (const kind of SAMPLE_KINDS) expect(listed(screen).some((label) => label.startsWith(`${kind},`))).toBe(true);
  await screen.press('rez-inspector-kind-revenue');
  await until(screen, 'the revenue alone', () => listed(screen).length === 1);
  expect(listed(screen)[0]).toMatch(/^revenue,.*team\/rez\.batch: delivered$/);
});

/** The screens of the events that were stored last, oldest first. */
const screens = (name: string) =>
  (JSON.parse(addon.testRows(folder)) as { rows: { json: { name?: string; view?: { name: string } } }[] }).rows
    .filter(({ json }) => json.name === name)
    .map(({ json }) => json.view?.name);

test.each([['Cart'], [undefined]])(
  'after one of each kind, events belong to the screen of before: %s',
  async (name) => {
    open({ destinations: [] });
    if (name !== undefined) logScreenView(name);
    logEvent('later');
    const screen = await inspector();
    await screen.press('rez-inspector-page-try');
    await screen.press('rez-inspector-make');
    await until(screen, 'the samples', () => screen.find('rez-inspector-made-screen_view') !== undefined);
    logEvent('later');
    await act(() => client.persist(WAIT_MS));
    expect(screens('later')).toEqual([name, name]);
  },
);

test('in a release build `inspector: true` of init alone lets the engine answer', async () => {
  const consent = { monitoring: 'granted', analytics: 'granted' } as const;
  const app = { folder: newFolder(), app: 'shop', release: 'shop@1.4.0+52', sessions: false, consent };
  const result = init({ ...app, debug: false, inspector: true });
  expect(result).toMatchObject({ recording: true, problems: [] });
  logEvent('begin_checkout');
  const screen = await render(createElement(RezInspector));
  await until(screen, 'the event', () => listed(screen).some((label) => label.includes('begin_checkout')));
  expect(screen.find('rez-inspector-error')).toBeUndefined();
  await unmountAll();
  await close(WAIT_MS);
});

test('a wrong key is not called a pause, and the status says what the server has answered', async () => {
  collector.status = 401;
  open();
  logEvent('begin_checkout');
  await act(() => client.flush(WAIT_MS));
  const screen = await inspector();
  await screen.press('rez-inspector-page-status');
  const status = () => screen.text('rez-inspector-status-team/rez.batch');
  await until(screen, 'why it waits', () => /1 waiting; stopped: the write key was refused \(401\)/.test(status()));
  expect(status()).not.toContain('pause');
});

test('a state that only an old event has is found behind a thousand others', async () => {
  open();
  await client.inspect({ tell: 'fault', fault: 'offline' }, WAIT_MS);
  client.record({ kind: 'analytics', name: 'begin_checkout' });
  await act(() => client.persist(WAIT_MS));
  // What is recorded during a pause never waits for the destination.
  expect(client.pauseDestination('team')).toBe('');
  for (let at = 0; at < 1_300; at++) {
    client.record({ kind: 'analytics', name: `event ${at}` });
    if (at % 100 === 99) await act(() => client.persist(WAIT_MS));
  }
  const screen = await inspector();
  await screen.press('rez-inspector-state-queued');
  await until(screen, 'the old event alone', () => listed(screen).length === 1);
  expect(listed(screen)[0]).toContain('begin_checkout');
  await screen.press('rez-inspector-state-dead');
  await until(screen, 'the end', () => screen.find('rez-inspector-empty') !== undefined);
  expect(screen.find('rez-inspector-older')).toBeUndefined();
});

test('a fault keeps events in the queue, the status says why, and they are sent after it', async () => {
  open();
  const screen = await inspector();
  await screen.press('rez-inspector-page-try');
  await screen.press('rez-inspector-fault-offline');
  await until(screen, 'the fault', () => screen.text('rez-inspector-notice').includes('stays on'));
  client.record({ kind: 'analytics', name: 'begin_checkout' });
  await act(() => client.flush(WAIT_MS));
  expect(collector.requests).toEqual([]);
  await screen.press('rez-inspector-page-status');
  await until(screen, 'why it waits', () =>
    /1 waiting; .*0 delivered/.test(screen.text('rez-inspector-status-team/rez.batch')),
  );
  await screen.press('rez-inspector-page-queue');
  await screen.press('rez-inspector-state-queued');
  await until(screen, 'the event', () => listed(screen).length === 1);
  await screen.press('rez-inspector-page-try');
  // The page has forgotten nothing, since it asks the engine.
  await until(screen, 'the fault', () => isChosen(screen, 'offline'));
  await screen.press('rez-inspector-fault-none');
  await until(screen, 'no fault', () => isChosen(screen, 'none'));
  await screen.press('rez-inspector-send');
  await until(screen, 'the event at the server', () => collector.events().length === 1);
  await screen.press('rez-inspector-page-queue');
  await screen.press('rez-inspector-state-sent');
  await until(screen, 'the event as sent', () => listed(screen).some((label) => label.includes('begin_checkout')));
});

test.each(['refuse', 'slow'])('the fault %s is taken by the engine, and taken back', async (fault) => {
  open();
  const screen = await inspector();
  await screen.press('rez-inspector-page-try');
  await screen.press(`rez-inspector-fault-${fault}`);
  await until(screen, 'the fault', () => screen.text('rez-inspector-notice').includes('stays on'));
  await screen.press('rez-inspector-fault-none');
  await until(screen, 'no fault', () => screen.find('rez-inspector-notice') === undefined);
  client.record({ kind: 'analytics', name: 'begin_checkout' });
  await act(() => client.flush(WAIT_MS));
  await screen.press('rez-inspector-send');
  await until(screen, 'the event at the server', () => collector.events().length === 1);
});

test('a mark is a row, and what came since is listed alone', async () => {
  open({ destinations: [] });
  const screen = await inspector();
  client.record({ kind: 'analytics', name: 'before' });
  await act(() => client.persist(WAIT_MS));
  await screen.type('rez-inspector-mark-name', 'tapped Pay');
  await screen.press('rez-inspector-mark');
  await until(screen, 'the mark', () => screen.text('rez-inspector-notice') === 'Marked: tapped Pay');
  client.record({ kind: 'analytics', name: 'after' });
  await act(() => client.persist(WAIT_MS));
  await screen.press('rez-inspector-refresh');
  await until(screen, 'all rows', () =>
    ['before', 'tapped Pay', 'after'].every((text) => screen.text('rows').includes(text)),
  );
  await screen.press('rez-inspector-since-mark');
  await until(
    screen,
    'those since the mark',
    () => screen.text('rows').includes('after') && !screen.text('rows').includes('before'),
  );
});

test('an event shows its payload, its clocks and why, and text finds it', async () => {
  open({ destinations: [] });
  const id = client.record({
    kind: 'analytics',
    name: 'begin_checkout',
    attrs: { value: 1499.5, hostile: '\u202e\u0000' },
  });
  client.record({ kind: 'analytics', name: 'other' });
  await act(() => client.persist(WAIT_MS));
  const screen = await inspector();
  await screen.type('rez-inspector-text', 'begin_checkout');
  await until(screen, 'the event alone', () => listed(screen).length === 1);
  const row = screen.tree.root.findAll(({ props }) => /^rez-inspector-event-\d/.test(String(props.testID)))[0];
  await screen.press(String(row?.props.testID));
  await until(screen, 'the payload', () => screen.find('rez-inspector-json') !== undefined);
  expect(JSON.parse(screen.text('rez-inspector-json'))).toMatchObject({
    name: 'begin_checkout',
    attrs: { value: 1499.5 },
  });
  expect(screen.text()).toContain(id);
  expect(screen.text('rez-inspector-wall')).toContain(new Date().toISOString().slice(0, 10));
  expect(Number(/^[\d.]+/.exec(screen.text('rez-inspector-mono'))?.[0])).toBeGreaterThan(0);
  expect(screen.text('rez-inspector-why')).toContain('queued');
});

test('a thousand events come page by page, the newest first, each once', async () => {
  open({ destinations: [] });
  for (let at = 0; at < 1_000; at++) {
    client.record({ kind: 'analytics', name: `event ${at}` });
    if (at % 100 === 99) await act(() => client.persist(WAIT_MS));
  }
  const screen = await inspector();
  await until(screen, 'the first page', () => listed(screen).length === 50);
  for (let page = 2; page <= 20; page++) {
    await screen.press('rows');
    await until(screen, `page ${page}`, () => listed(screen).length === page * 50);
  }
  const names = listed(screen).map((label) => Number(/event (\d+)/.exec(label)?.[1]));
  expect(names).toEqual(Array.from({ length: 1_000 }, (_, at) => 999 - at));
});

test('the page says how the last run ended, and whether crashes of native code are captured', async () => {
  open({ destinations: [], sessions: true });
  const before = folder;
  client.recordFatal({ kind: 'error', type: 'PaymentError', message: 'card declined' });
  await act(() => client.close(WAIT_MS));
  open({ destinations: [], folder: before, nativeCrashes: true });
  const screen = await inspector();
  await screen.press('rez-inspector-page-try');
  await until(screen, 'the crash', () =>
    /^The last run crashed: PaymentError, .*support code [0-9a-f]{6}\.$/.test(screen.text('rez-inspector-last-run')),
  );
  expect(screen.text('rez-inspector-crash-card-fault')).not.toContain('nativeCrashes: true');
});

test('before the engine is open, and after close, each page is one sentence', async () => {
  const screen = await inspector();
  await until(screen, 'a sentence', () => /\w+ \w+/.test(screen.text('rez-inspector-error')));
  open();
  await screen.press('rez-inspector-refresh');
  await until(screen, 'the list', () => screen.find('rez-inspector-empty') !== undefined);
  await act(() => client.close(WAIT_MS));
  await screen.press('rez-inspector-page-status');
  await until(screen, 'a sentence', () => /\w+ \w+/.test(screen.text('rez-inspector-error')));
});
