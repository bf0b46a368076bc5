/** The inspector on a native side that answers from a table: every button, every tab, every wrong answer. */
import * as ReactNative from 'react-native';
import { FlatList, Share } from 'react-native';
import { setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import { NO_ENGINE_TEXT } from '../../native/port';
import { freshApp } from '../../testing/app';
import { SAMPLE_KINDS } from '../../testing/kinds';
import { act, render, type Screen, unmountAll } from '../../testing/screen';
import { RezInspector } from '../inspector';
import { oneLine, pretty } from '../text';
import { event, STATUS, type Table, table } from './table';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));
jest.setTimeout(120_000);

const scope = globalThis as { __DEV__?: boolean };
let engine: Table;
let app: ReturnType<typeof freshApp>;
/** Where the engine has what is recorded now. */
let screenOfApp: string | undefined;

const PAYMENT = { type: 'PaymentError', message: 'card declined' };
const failedPayment = event(2, { kind: 'error', level: 'error', name: 'PaymentError card declined', json: PAYMENT });

function openApp(rows = [event(1), failedPayment]) {
  engine = table(rows);
  screenOfApp = undefined;
  app = freshApp({
    inspect: (request) => engine.inspect(request),
    recordBatch: (document) => {
      engine.store(document, screenOfApp);
      return app.port.documents.push(document) > 0;
    },
  });
  app.open();
}

beforeEach(() => {
  scope.__DEV__ = true;
  jest.useFakeTimers();
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  openApp();
});

afterEach(async () => {
  await unmountAll();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

const inspector = () => render(<RezInspector />);
const listed = (screen: Screen) => screen.tree.root.findByType(FlatList).props.data as { seq: number }[];
const seqs = (screen: Screen) => listed(screen).map(({ seq }) => seq);
const lastList = () => engine.of('list').slice(-1)[0];
const endReached = (screen: Screen) => act(async () => screen.tree.root.findByType(FlatList).props.onEndReached());
const firstText = () => (Share.share as jest.Mock).mock.calls[0]?.[0].message as string;

describe('the list', () => {
  test('has the newest event first, with its kind, name, and state per destination', async () => {
    const screen = await inspector();
    expect(seqs(screen)).toEqual([2, 1]);
    const text = screen.text('rez-inspector-event-2');
    for (const part of [
      'error',
      'PaymentError card declined',
      'sentry/sentry.envelope: queued',
      'team/rez.batch: delivered',
    ])
      expect(text).toContain(part);
    expect(screen.find('rez-inspector-event-2')?.props.accessibilityLabel).toMatch(
      /^error, PaymentError card declined, [\d:.]+, sentry\/sentry.envelope: queued, team\/rez.batch: delivered$/,
    );
    expect(engine.requests).toEqual([{ ask: 'list', filter: {}, limit: 50 }]);
    expect(screen.text('rez-inspector-count')).toBe('2 events');
  });

  test.each([
    ['queued', 'queued'],
    ['sent', 'delivered'],
    ['dropped', 'dropped'],
    ['dead', 'dead'],
  ])('the tab %s asks for the state %s, and All for every state', async (tab, state) => {
    const screen = await inspector();
    await screen.press(`rez-inspector-state-${tab}`);
    expect(lastList()?.filter).toEqual({ state });
    await screen.press('rez-inspector-state-all');
    expect(lastList()?.filter).toEqual({});
    expect(seqs(screen)).toEqual([2, 1]);
  });

  test('is filtered by kind and since the mark, and a second press takes the filter away', async () => {
    const screen = await inspector();
    await screen.press('rez-inspector-kind-error');
    expect(seqs(screen)).toEqual([2]);
    await screen.press('rez-inspector-since-mark');
    expect(lastList()?.filter).toEqual({ kind: 'error', since_mark: true });
    await screen.press('rez-inspector-kind-error');
    await screen.press('rez-inspector-since-mark');
    expect(lastList()?.filter).toEqual({});
  });

  test('is searched once, when nobody types any more', async () => {
    const screen = await inspector();
    for (const text of ['c', 'ca', 'card']) {
      await screen.type('rez-inspector-text', text);
      await screen.wait(200);
    }
    expect(engine.of('list')).toHaveLength(1);
    await screen.wait(100);
    expect(engine.of('list').map(({ filter }) => filter)).toEqual([{}, { text: 'card' }]);
    expect(seqs(screen)).toEqual([2]);
    await screen.type('rez-inspector-text', 'nothing has it');
    await screen.wait(300);
    expect(screen.text('rez-inspector-empty')).toBe('No event matches the filter.');
  });

  test('says that it asks until the first answer', async () => {
    let answer: (text: string) => void = () => undefined;
    engine.instead.list = new Promise((resolve) => {
      answer = resolve;
    });
    const screen = await inspector();
    expect(screen.text('rez-inspector-count')).toBe('asking');
    expect(screen.find('rez-inspector-empty')).toBeUndefined();
    await act(async () => answer('{"events":[],"before":null}'));
    expect(screen.text('rez-inspector-count')).toBe('0 events');
  });

  test('without events says so', async () => {
    openApp([]);
    const screen = await inspector();
    expect(screen.text('rez-inspector-empty')).toBe('The queue has no events yet.');
    await expect(screen.press('rez-inspector-share-list')).rejects.toThrow('disabled');
  });

  test('shows what was recorded meanwhile, by itself and by Refresh', async () => {
    const screen = await inspector();
    engine.rows.push(event(3));
    await screen.wait(2_000);
    expect(seqs(screen)).toEqual([3, 2, 1]);
    engine.rows.push(event(4));
    await screen.press('rez-inspector-refresh');
    expect(seqs(screen)).toEqual([4, 3, 2, 1]);
  });

  test('shows the answer to the newest question, whenever an older one is answered', async () => {
    const screen = await inspector();
    let answerLate: (text: string) => void = () => undefined;
    engine.instead.list = new Promise((resolve) => {
      answerLate = resolve;
    });
    await screen.press('rez-inspector-state-queued');
    delete engine.instead.list;
    await screen.press('rez-inspector-kind-error');
    expect(seqs(screen)).toEqual([2]);
    await act(async () => answerLate(JSON.stringify({ events: [event(77)], before: null })));
    expect(seqs(screen)).toEqual([2]);
  });

  test('asks no more when it is gone', async () => {
    const screen = await inspector();
    await unmountAll();
    await screen.wait(60_000);
    expect(engine.of('list')).toHaveLength(1);
  });
});

describe('ten thousand events', () => {
  beforeEach(() => openApp(Array.from({ length: 10_000 }, (_, at) => event(at + 1))));

  test('come page by page, each once, the next one when the end is reached', async () => {
    const screen = await inspector();
    expect(seqs(screen)).toHaveLength(50);
    expect(engine.of('list')).toHaveLength(1);
    await endReached(screen);
    expect(engine.of('list').slice(-1)).toEqual([{ ask: 'list', filter: {}, before: 9_951, limit: 50 }]);
    expect(seqs(screen)).toEqual(Array.from({ length: 100 }, (_, at) => 10_000 - at));
    for (let page = 2; page < 200; page++) await endReached(screen);
    expect(new Set(seqs(screen)).size).toBe(10_000);
    expect(engine.of('list')).toHaveLength(200);
    await endReached(screen);
    expect(engine.of('list')).toHaveLength(200);
    expect(screen.text('rez-inspector-count')).toBe('10000 events');
  });

  test('a newer page that was on its way leaves no gap before the older ones', async () => {
    const screen = await inspector();
    let answer: (text: string) => void = () => undefined;
    engine.instead.list = new Promise((resolve) => {
      answer = resolve;
    });
    await screen.wait(2_000);
    delete engine.instead.list;
    await endReached(screen);
    await act(async () => answer(JSON.stringify({ events: [event(20_000)], before: 20_000 })));
    expect(seqs(screen)).toEqual(Array.from({ length: 100 }, (_, at) => 10_000 - at));
  });

  test('are not asked for twice while a page is on its way, nor shown under another filter', async () => {
    const screen = await inspector();
    let answer: (text: string) => void = () => undefined;
    engine.instead.list = new Promise((resolve) => {
      answer = resolve;
    });
    await endReached(screen);
    await endReached(screen);
    expect(engine.of('list')).toHaveLength(2);
    delete engine.instead.list;
    await screen.press('rez-inspector-kind-error');
    await act(async () => answer(JSON.stringify({ events: [event(5)], before: null })));
    expect(seqs(screen)).toEqual([]);
    await screen.press('rez-inspector-kind-error');
    await endReached(screen);
    expect(seqs(screen)).toHaveLength(100);
  });

  test('a refresh goes back to the newest page', async () => {
    const screen = await inspector();
    await endReached(screen);
    await screen.wait(10_000);
    expect(seqs(screen)).toHaveLength(100);
    await screen.press('rez-inspector-refresh');
    expect(seqs(screen)).toHaveLength(50);
  });

  test('a list that was scrolled says that there are newer events, and a refresh shows them', async () => {
    const screen = await inspector();
    await endReached(screen);
    await screen.wait(2_000);
    expect(screen.find('rez-inspector-newer')).toBeUndefined();
    engine.rows.push(event(10_001));
    await screen.wait(2_000);
    expect(seqs(screen)).toEqual(Array.from({ length: 100 }, (_, at) => 10_000 - at));
    expect(screen.text('rez-inspector-newer')).toContain('newer events');
    let answer: (text: string) => void = () => undefined;
    engine.instead.list = new Promise((resolve) => {
      answer = resolve;
    });
    engine.rows.push(event(10_002));
    await screen.press('rez-inspector-refresh');
    delete engine.instead.list;
    // The list has become shorter, so its end is reached before the answer comes.
    const asked = engine.of('list').length;
    await endReached(screen);
    expect(engine.of('list')).toHaveLength(asked);
    await act(async () => answer(JSON.stringify({ events: [event(10_002), event(10_001)], before: 10_001 })));
    expect(seqs(screen)).toContain(10_002);
    expect(screen.find('rez-inspector-newer')).toBeUndefined();
    await endReached(screen);
    expect(seqs(screen).length).toBeGreaterThanOrEqual(50);
  });

  test('a page that cannot be read is one sentence, and the events before it stay', async () => {
    const screen = await inspector();
    engine.instead.list = '{"error":"the queue is being erased"}';
    await endReached(screen);
    expect(screen.text('rez-inspector-error')).toBe('the queue is being erased');
    expect(seqs(screen)).toHaveLength(50);
    delete engine.instead.list;
    await endReached(screen);
    expect(seqs(screen)).toHaveLength(100);
    expect(screen.find('rez-inspector-error')).toBeUndefined();
  });
});

describe('a state that only old events have', () => {
  const dead = (seq: number) =>
    event(seq, { routes: [{ route: 'team/rez.batch', state: 'dead', text: 'dead, rejected' }] });
  const queue = (length: number, ...old: number[]) =>
    Array.from({ length }, (_, at) => (old.includes(at + 1) ? dead(at + 1) : event(at + 1)));

  test('is searched for page by page, although pages are empty', async () => {
    openApp(queue(2_500, 3, 2));
    const screen = await inspector();
    await screen.press('rez-inspector-state-dead');
    expect(
      engine
        .of('list')
        .slice(1)
        .map(({ before }) => before),
    ).toEqual([undefined, 1_501, 501]);
    expect(seqs(screen)).toEqual([3, 2]);
    expect(screen.find('rez-inspector-older')).toBeUndefined();
  });

  test('is searched further by a press, and nothing says that there is none before all was searched', async () => {
    openApp(queue(7_500, 3));
    const screen = await inspector();
    await screen.press('rez-inspector-state-dead');
    expect(engine.of('list')).toHaveLength(1 + 5);
    expect(screen.find('rez-inspector-empty')).toBeUndefined();
    expect(screen.text('rez-inspector-count')).toBe('0+ events');
    await screen.press('rez-inspector-older');
    expect(seqs(screen)).toEqual([3]);
    expect(screen.find('rez-inspector-older')).toBeUndefined();
    await screen.press('rez-inspector-state-dropped');
    await screen.press('rez-inspector-older');
    expect(screen.text('rez-inspector-empty')).toBe('No event matches the filter.');
  });
});

describe('an event', () => {
  test('shows its payload, both clocks, each destination and why', async () => {
    const routes = [{ route: 'team/rez.batch', state: 'in_flight', text: 'in flight, batch 17, attempt 2' }];
    openApp([event(7, { routes, json: { name: 'begin_checkout', attrs: { value: 1499.5 } } })]);
    const screen = await inspector();
    await screen.press('rez-inspector-event-7');
    expect(screen.text('rez-inspector-wall')).toContain(new Date(1_795_400_000_007).toISOString());
    expect(screen.text('rez-inspector-mono')).toBe('14087.320 s after the device was started');
    expect(screen.text('rez-inspector-route-0')).toBe('team/rez.batch: in flight, batch 17, attempt 2');
    expect(screen.text('rez-inspector-why')).toBe('team/rez.batch: in flight, batch 17, attempt 2');
    expect(JSON.parse(screen.text('rez-inspector-json'))).toEqual({ name: 'begin_checkout', attrs: { value: 1499.5 } });
    await screen.press('rez-inspector-back');
    expect(seqs(screen)).toEqual([7]);
  });

  test('is followed while it is open', async () => {
    const screen = await inspector();
    await screen.press('rez-inspector-event-1');
    const [row] = engine.rows;
    if (row) row.routes = [{ route: 'team/rez.batch', state: 'dead', text: 'dead, rejected, status 400 bad key' }];
    await screen.wait(2_000);
    expect(screen.text('rez-inspector-route-0')).toBe('team/rez.batch: dead, rejected, status 400 bad key');
  });

  test('is shared as JSON, and the list as one event per line', async () => {
    jest.spyOn(Share, 'share').mockResolvedValue({ action: 'sharedAction' } as never);
    const screen = await inspector();
    await screen.press('rez-inspector-event-1');
    await screen.press('rez-inspector-share-event');
    expect(JSON.parse(firstText())).toEqual(event(1).json);
    await screen.press('rez-inspector-back');
    (Share.share as jest.Mock).mockClear();
    await screen.press('rez-inspector-share-list');
    expect(
      firstText()
        .split('\n')
        .map((line) => JSON.parse(line).seq),
    ).toEqual([2, 1]);
    expect(screen.find('rez-inspector-notice')).toBeUndefined();
  });

  test('a list that is too long for a share is cut at an event, and says so', async () => {
    jest.spyOn(Share, 'share').mockResolvedValue({ action: 'sharedAction' } as never);
    openApp(Array.from({ length: 40 }, (_, at) => event(at + 1, { name: 'x'.repeat(10_000) })));
    const screen = await inspector();
    await screen.press('rez-inspector-share-list');
    expect(firstText().length).toBeLessThanOrEqual(256 * 1024);
    const shared = firstText()
      .split('\n')
      .map((line) => JSON.parse(line).seq);
    expect(shared[0]).toBe(40);
    expect(screen.text('rez-inspector-notice')).toBe(
      `Shared the newest ${shared.length} of 40 events: a share holds 256 KiB.`,
    );
  });

  test('a platform without a share dialog is told in a sentence', async () => {
    jest.spyOn(Share, 'share').mockRejectedValue(new Error('not supported'));
    const screen = await inspector();
    await screen.press('rez-inspector-share-list');
    expect(screen.text('rez-inspector-notice')).toContain('Nothing was shared');
  });

  test('that has left the queue is one sentence', async () => {
    const screen = await inspector();
    engine.rows = [];
    await screen.press('rez-inspector-event-1');
    expect(screen.text('rez-inspector-error')).toContain('not known');
    await screen.press('rez-inspector-page-queue');
    expect(screen.text('rez-inspector-empty')).toBe('The queue has no events yet.');
  });
});

test('the status has per destination what is delivered, dead and dropped, and what the engine says about it', async () => {
  const screen = await inspector();
  await screen.press('rez-inspector-page-status');
  const sentry = screen.text('rez-inspector-status-sentry/sentry.envelope');
  expect(sentry).toContain(
    '3 waiting; the server has an outage; next attempt 2026-11-23T08:40:40.000Z; after 1 failure',
  );
  expect(sentry).toContain('30 delivered');
  expect(sentry).toContain('4 dead');
  expect(sentry).toContain('dropped: rejected 2, expired 1');
  const team = screen.text('rez-inspector-status-team/rez.batch');
  expect(team).toContain('stopped: the write key was refused (401); next probe 2026-11-23T09:40:00.000Z');
  expect(team).not.toMatch(/paused|dead|dropped/);
  expect(screen.text('rez-inspector-status-team2/rez.batch')).toContain('1 waiting; paused by the app');
  expect(screen.text('rez-inspector-refused')).toContain('ring_full 7, sampled 1');
  expect(screen.text('rez-inspector-lines')).toBe(STATUS.lines.slice(0, 3).join(' '));
  engine.instead.status = JSON.stringify({ status: { routes: [] }, lines: [] });
  await screen.wait(2_000);
  expect(screen.text('rez-inspector-no-destination')).toContain('No destination');
});

test('a route or a line that comes twice is shown twice, without a warning of React', async () => {
  const failed = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  engine.instead.status = JSON.stringify({ status: { routes: [{ route: 'a' }, { route: 'a' }] }, lines: ['x', 'x'] });
  const screen = await inspector();
  await screen.press('rez-inspector-page-status');
  expect(screen.text('rez-inspector-lines')).toBe('x x');
  expect(failed).not.toHaveBeenCalled();
});

test('Send now and Mark tell the engine, and what is wrong is shown', async () => {
  const screen = await inspector();
  await screen.press('rez-inspector-send');
  expect(screen.text('rez-inspector-notice')).toBe(
    'team: 2 delivered, nothing left\n' +
      'sentry: 0 delivered, 3 left: the server has an outage; next attempt 2026-11-23T08:40:40.000Z; after 1 failure',
  );
  await screen.type('rez-inspector-mark-name', ' tapped Pay ');
  await screen.press('rez-inspector-mark');
  expect(screen.text('rez-inspector-notice')).toBe('Marked: tapped Pay');
  await screen.press('rez-inspector-mark');
  expect(engine.of('send_now')).toEqual([{ tell: 'send_now' }]);
  expect(engine.of('mark').map(({ text }) => text)).toEqual(['tapped Pay', 'mark']);
  engine.instead.send_now = '{"destinations":[]}';
  await screen.press('rez-inspector-send');
  expect(screen.text('rez-inspector-notice')).toBe('There is no destination to send to.');
  engine.instead.send_now = '{"error":"the engine is closed"}';
  await screen.press('rez-inspector-send');
  expect(screen.text('rez-inspector-notice')).toBe('the engine is closed');
  await screen.press('rez-inspector-page-status');
  expect(screen.find('rez-inspector-notice')).toBeUndefined();
});

test('a fault is switched on and off, stays on for the next look, and is not shown as on when it is refused', async () => {
  const screen = await inspector();
  await screen.press('rez-inspector-page-try');
  const chosen = () =>
    ['none', 'offline', 'refuse', 'slow'].filter(
      (fault) =>
        screen.tree.root.findAllByProps({ testID: `rez-inspector-fault-${fault}`, 'aria-checked': true }).length > 0,
    );
  expect(chosen()).toEqual(['none']);
  for (const fault of ['offline', 'refuse', 'slow']) {
    await screen.press(`rez-inspector-fault-${fault}`);
    expect(chosen()).toEqual([fault]);
  }
  expect(screen.text('rez-inspector-notice')).toContain('stays on');
  await screen.press('rez-inspector-page-status');
  await screen.press('rez-inspector-page-try');
  expect(chosen()).toEqual(['slow']);
  // As another page of another bundle does it.
  await engine.inspect('{"tell":"fault","fault":"refuse"}');
  await screen.wait(2_000);
  expect(chosen()).toEqual(['refuse']);
  await screen.press('rez-inspector-fault-slow');
  engine.instead.fault = '{"error":"faults are for debug builds"}';
  await screen.press('rez-inspector-fault-none');
  expect([chosen(), screen.text('rez-inspector-notice')]).toEqual([['slow'], 'faults are for debug builds']);
  delete engine.instead.fault;
  await screen.press('rez-inspector-fault-none');
  expect([chosen(), screen.find('rez-inspector-notice')]).toEqual([['none'], undefined]);
  expect(engine.of('fault').map(({ fault }) => fault)).toEqual([
    'offline',
    'refuse',
    'slow',
    'refuse',
    'slow',
    'none',
    'none',
  ]);
});

describe('one of each kind', () => {
  test('is recorded by the calls of the package, and asked for until its way has ended', async () => {
    const screen = await inspector();
    await screen.press('rez-inspector-page-try');
    await screen.press('rez-inspector-make');
    const made = app.port.items().filter(({ kind }) => kind !== undefined);
    // No screen was known: two more events end that of the samples.
    expect(made.splice(-2)).toMatchObject([{ op: 'start' }, { op: 'stop' }]);
    expect(made.map(({ kind }) => kind).sort()).toEqual([...SAMPLE_KINDS].sort());
    for (const kind of SAMPLE_KINDS)
      expect(screen.text(`rez-inspector-made-${kind}`)).toContain('stored; no destination takes it yet');
    const ids = made.map(({ id }) => String(id));
    expect(
      engine
        .of('why')
        .map(({ id }) => id)
        .sort(),
    ).toEqual(ids.sort());

    engine.rows = made.map((item, at) => event(at, { id: String(item.id), kind: String(item.kind) }));
    await screen.wait(1_000);
    expect(screen.text('rez-inspector-made-error')).toContain('sentry/sentry.envelope: queued');
    for (const row of engine.rows)
      row.routes = [{ route: 'team/rez.batch', state: 'delivered', text: 'delivered 2026-11-23T08:40:00.000Z' }];
    await screen.wait(1_000);
    expect(screen.text('rez-inspector-made-revenue')).toContain('team/rez.batch: delivered');
    const asked = engine.of('why').length;
    await screen.wait(60_000);
    expect(engine.of('why')).toHaveLength(asked);
  });

  test('is made anew by the next press', async () => {
    const screen = await inspector();
    await screen.press('rez-inspector-page-try');
    await screen.press('rez-inspector-make');
    await screen.press('rez-inspector-make');
    expect(app.port.items().filter(({ kind }) => kind === 'revenue')).toHaveLength(2);
    expect(
      screen.tree.root.findAll(
        ({ type, props }) => typeof type === 'string' && props.testID === 'rez-inspector-made-error',
      ),
    ).toHaveLength(1);
  });

  test('leaves the current screen as it was', async () => {
    const screen = await inspector();
    screenOfApp = 'Cart';
    await screen.press('rez-inspector-page-try');
    await screen.press('rez-inspector-make');
    const [opened, cancelled] = app.port.items().slice(-2);
    expect([opened, cancelled]).toEqual([
      { scope: 'screen', name: 'Cart', view: expect.any(String) },
      { scope: 'screen_cancelled', view: opened?.view },
    ]);
  });

  test('records no screen while the engine does not say which one is shown', async () => {
    const screen = await inspector();
    await screen.press('rez-inspector-page-try');
    engine.instead.show = '{"error":"inspection is off"}';
    await screen.press('rez-inspector-make');
    const kinds = app.port.items().map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['error', 'analytics']));
    expect(kinds).not.toEqual(expect.arrayContaining(['screen_view']));
    expect(app.port.items().filter(({ scope }) => scope === 'screen')).toEqual([]);
    expect(screen.text('rez-inspector-made-screen_load')).toContain('the engine does not answer');
  });

  test('that a hook drops is said not to be recorded', async () => {
    app.client.hooks = { event: (item) => (item.kind === 'span' ? null : item) };
    const screen = await inspector();
    await screen.press('rez-inspector-page-try');
    await screen.press('rez-inspector-make');
    expect(screen.text('rez-inspector-made-span')).toContain('not recorded: a hook dropped it');
    expect(screen.text('rez-inspector-made-analytics')).toContain('stored');
  });
});

describe('a crash', () => {
  const KINDS = ['js', 'rejection', 'exception', 'fault', 'abort', 'panic'];
  const told = () => app.port.calls.filter(([name]) => name === 'testCrash').map(([, kind]) => kind);

  async function tryPage() {
    const screen = await inspector();
    await screen.press('rez-inspector-page-try');
    return screen;
  }

  test('needs a second press of the same button', async () => {
    const screen = await tryPage();
    await screen.press('rez-inspector-crash-fault');
    await screen.press('rez-inspector-crash-abort');
    await screen.press('rez-inspector-crash-fault');
    expect(told()).toEqual([]);
    expect(screen.text('rez-inspector-crash-fault')).toBe('Press again');
    await screen.press('rez-inspector-crash-fault');
    expect(told()).toEqual(['fault']);
    expect(screen.text('rez-inspector-crash-fault')).toBe('Do it');
  });

  test.each(['exception', 'fault', 'abort', 'panic'])(
    '%s is done by the native side, whose refusal is shown',
    async (kind) => {
      const refusal = 'inspection is off; set `inspector` to true when the engine is opened';
      app.port.testCrash = (name) => {
        app.port.calls.push(['testCrash', name]);
        return refusal;
      };
      setClient(new Client({ port: app.port }));
      const screen = await tryPage();
      await screen.press(`rez-inspector-crash-${kind}`);
      await screen.press(`rez-inspector-crash-${kind}`);
      expect(told()).toEqual([kind]);
      expect(screen.text('rez-inspector-notice')).toBe(refusal);
    },
  );

  test('of JavaScript is thrown outside of React', async () => {
    const screen = await tryPage();
    await screen.press('rez-inspector-crash-js');
    await screen.press('rez-inspector-crash-js');
    await expect(screen.wait(1)).rejects.toThrow('A test crash of the inspector');
    expect(screen.find('rez-overlay-failed')).toBeUndefined();
  });

  test('a rejected promise is no crash, and the page says so', async () => {
    const reject = jest.spyOn(Promise, 'reject').mockImplementation((() => Promise.resolve()) as never);
    const screen = await tryPage();
    await screen.press('rez-inspector-crash-rejection');
    await screen.press('rez-inspector-crash-rejection');
    expect(reject.mock.calls).toEqual([[expect.objectContaining({ name: 'InspectorError' })]]);
    expect(screen.text('rez-inspector-notice')).toContain('The app goes on');
  });

  test('says for each kind what is seen afterwards, and warns where native crashes are not captured', async () => {
    const warned = async (native_crashes: unknown) => {
      engine.instead.status = JSON.stringify({ ...STATUS, native_crashes });
      const screen = await tryPage();
      return KINDS.filter((kind) => screen.text(`rez-inspector-crash-card-${kind}`).includes('nativeCrashes: true'));
    };
    expect(await warned(false)).toEqual(['fault', 'abort', 'panic']);
    expect(await warned(true)).toEqual([]);
    expect(await warned('no')).toEqual([]);
    const screen = await tryPage();
    for (const kind of KINDS) expect(screen.text(`rez-inspector-crash-card-${kind}`)).toMatch(/start shows|goes on/);
  });

  test.each([
    [
      {
        ended: 'crashed',
        crash: {
          id: 'a',
          type: 'SIGSEGV',
          mechanism: 'signal',
          at_ms: 1,
          since_start_ms: 2_340,
          support_code: '0d9c11',
        },
      },
      'The last run crashed: SIGSEGV, signal, 2.3 s after the start, support code 0d9c11.',
    ],
    [{ ended: 'crashed', crash: { type: '\u202eE\u0000', mechanism: null } }, 'The last run crashed: \u00b7E\u00b7.'],
    [{ ended: 'crashed', crash: 5 }, 'The last run crashed. Its crash is no longer in the queue.'],
    [{ ended: 'closed', crash: null }, 'The last run did not crash: it was closed.'],
    [{ ended: 'abnormal' }, 'The last run did not crash: it ended in the foreground without `close`.'],
    [{ ended: '__proto__' }, 'The last run did not crash: how it ended is not known.'],
    [null, 'Nothing is known of a run before this one.'],
    [{ error: 'the engine is closed' }, 'Nothing is known of a run before this one.'],
  ])('of the last run: %j', async (last, text) => {
    app.port.lastRun = () => Promise.resolve(JSON.stringify(last));
    setClient(new Client({ port: app.port }));
    expect((await tryPage()).text('rez-inspector-last-run')).toBe(text);
  });
});

test('without the native module every page is one sentence, and no button throws', async () => {
  freshApp();
  setClient(new Client({ port: null }));
  const screen = await inspector();
  expect(screen.text('rez-inspector-error')).toBe(NO_ENGINE_TEXT);
  await screen.press('rez-inspector-send');
  expect(screen.text('rez-inspector-notice')).toBe(NO_ENGINE_TEXT);
  await screen.press('rez-inspector-page-status');
  expect(screen.text('rez-inspector-error')).toBe(NO_ENGINE_TEXT);
  await screen.press('rez-inspector-page-try');
  await screen.press('rez-inspector-make');
  expect(screen.text('rez-inspector-made-error')).toContain('not recorded');
  await screen.press('rez-inspector-fault-offline');
  expect(screen.text('rez-inspector-notice')).toBe(NO_ENGINE_TEXT);
});

test('an older native module, which has no such method, is the same as none', async () => {
  freshApp({ inspect: undefined as never });
  const { port } = freshApp();
  delete (port as Partial<typeof port>).inspect;
  setClient(new Client({ port }));
  expect((await inspector()).text('rez-inspector-error')).toBe(NO_ENGINE_TEXT);
});

test.each([
  ['{', 'no JSON'],
  ['null', 'null'],
  ['[]', 'a list'],
  ['"text"', 'a text'],
  ['{"error":5}', 'an error that is no text'],
  ['', 'nothing'],
  ['{"events":{"length":5},"before":"x","status":7,"lines":9,"why":{},"event":5}', 'members of other types'],
  ['{"events":[null,5,{"id":"a"},{"id":"b","seq":1,"routes":[null,5,{}]}],"before":1e999}', 'events that are none'],
  [
    '{"status":{"routes":[null,{},{"route":"a","waiting":"x","held":5,"dropped":[null,{"reason":"x"}]}]}}',
    'routes that are none',
  ],
  ['{"__proto__":{"error":"polluted"},"events":[]}', 'a member of the name __proto__'],
])('the answer %s, %s, breaks no page', async (answer) => {
  for (const name of ['list', 'show', 'why', 'status', 'send_now', 'mark', 'fault']) engine.instead[name] = answer;
  const failed = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  const screen = await inspector();
  await endReached(screen);
  for (const button of ['send', 'mark', 'page-status', 'page-try', 'make', 'fault-slow', 'page-queue', 'refresh'])
    await screen.press(`rez-inspector-${button}`);
  await screen.wait(5_000);
  expect(screen.find('rez-overlay-failed')).toBeUndefined();
  expect(failed).not.toHaveBeenCalled();
});

test('an answer whose error is null is an answer', async () => {
  engine.instead.list = JSON.stringify({ error: null, events: [event(9)], before: null });
  const screen = await inspector();
  expect([seqs(screen), screen.text('rez-inspector-error')]).toEqual([[9], '']);
});

test('an event twice in a page, or in two, is shown once, and a page that leads forward is the last one', async () => {
  const [one, two] = [event(9), event(8)];
  engine.instead.list = JSON.stringify({ events: [one, one, two], before: 8 });
  const screen = await inspector();
  await endReached(screen);
  await endReached(screen);
  expect(seqs(screen)).toEqual([9, 8]);
  expect(engine.of('list')).toHaveLength(2);
});

test('hostile text is shown as text: short, on one line, in its own order', async () => {
  const hostile = `\u202eevil\u0000\n${'x'.repeat(1_000_000)}<script>`;
  const routes = [{ route: hostile, state: hostile, text: hostile }];
  const json = { [hostile.slice(0, 8)]: '\u202e\u0007', big: 'y'.repeat(200_000) };
  openApp([event(1, { kind: hostile, name: hostile, level: hostile, wall_ms: 1e300, routes, json })]);
  const screen = await inspector();
  const text = screen.text('rez-inspector-event-1');
  expect(text.length).toBeLessThan(400);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text).not.toMatch(/[\u0000\n\u202e]/);
  await screen.press('rez-inspector-event-1');
  expect(screen.text('rez-inspector-wall')).toBe('wall clock -');
  const shown = screen.text('rez-inspector-json');
  expect(shown.length).toBeLessThanOrEqual(64 * 1024);
  expect(shown).toContain('"\\u202e\\u0007"');
  for (const unseen of ['\u061c', '\u200b', '\u00ad', '\u2060'])
    expect([oneLine(`a${unseen}b`), pretty(unseen).length]).toEqual(['a\u00b7b', 8]);
  expect(screen.text('rez-inspector-why').length).toBeLessThanOrEqual(2_000);
});

test('colours follow the scheme of the device', async () => {
  const scheme = jest.spyOn(ReactNative, 'useColorScheme');
  const colours = async (value: 'dark' | 'light' | null) => {
    scheme.mockReturnValue(value as never);
    const screen = await inspector();
    const style = screen.find('rez-inspector')?.props.style as { backgroundColor: string };
    return style.backgroundColor;
  };
  const [dark, light, none] = [await colours('dark'), await colours('light'), await colours(null)];
  expect(dark).not.toBe(light);
  expect(none).toBe(light);
});

test('everything that can be pressed has a role and a label', async () => {
  const screen = await inspector();
  for (const page of ['queue', 'status', 'try']) {
    await screen.press(`rez-inspector-page-${page}`);
    const pressed = screen.tree.root.findAll(
      ({ type, props }) =>
        typeof type !== 'string' && typeof props.onPress === 'function' && props['aria-label'] !== undefined,
    );
    expect(pressed.length).toBeGreaterThan(4);
    for (const { props } of pressed)
      expect([props.testID, typeof props.role, props['aria-label']]).toEqual([
        expect.stringMatching(/^rez-inspector-/),
        'string',
        expect.stringMatching(/\w/),
      ]);
  }
});
