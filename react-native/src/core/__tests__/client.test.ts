import { noPort, type Port } from '../../native/port';
import { manualClock, recordingPort } from '../../testing/recording-port';
import { waiting } from '../buffer';
import { Client } from '../client';

function opened(answers: Partial<Port> = {}) {
  const port = recordingPort(answers);
  const clock = manualClock();
  const ticks: (() => void)[] = [];
  const client = new Client({ port, clock, schedule: (run) => ticks.push(run) });
  return {
    port,
    clock,
    client,
    tick: () => {
      for (const run of ticks.splice(0)) run();
    },
  };
}

test('what is recorded before the engine is open goes to it when it opens', () => {
  const { client, port } = opened();
  const id = client.record({ kind: 'analytics', name: 'early' });
  expect(port.documents).toEqual([]);
  expect(client.open({ app: 'shop' })).toBe('');
  expect(port.items()).toEqual([{ kind: 'analytics', name: 'early', id }]);
});

test('an event has an id, and a question is asked after all that was recorded', () => {
  const { client, port } = opened({ status: () => '{"status":{},"lines":["ok"]}' });
  client.open({});
  const id = client.record({ kind: 'message', message: 'hello' });
  expect(id).toMatch(/-7[0-9a-f]{3}-/);
  expect(client.status()).toEqual({ status: {}, lines: ['ok'] });
  expect(port.items()).toHaveLength(1);
  expect(port.calls.at(-1)).toEqual(['status']);
});

test('a fatal error takes with it what waits, and says whether it is on the disk', () => {
  const { client, port } = opened();
  expect(client.recordFatal({ kind: 'crash', type: 'Error' })).toBe(false);
  client.open({});
  client.breadcrumb({ message: 'tap' });
  expect(client.recordFatal({ kind: 'crash', type: 'Error', message: 'end' })).toBe(true);
  expect(JSON.parse(port.fatals[0] ?? '').items).toEqual([
    { breadcrumb: { message: 'tap' } },
    expect.objectContaining({ kind: 'crash', message: 'end' }),
  ]);
});

test('without a native side nothing is kept and every question is answered', async () => {
  const client = new Client({ port: null });
  expect(client.record({ kind: 'message', message: 'x' })).toBe('');
  client.breadcrumb({ message: 'x' });
  expect(client.open({})).toContain('native module');
  expect(client.status()).toBeUndefined();
  expect(client.metrics()).toEqual([]);
  expect((await client.flush(1)).error).toContain('native module');
  expect((await client.why('x', 1)).error).toContain('native module');
  await client.close(1);
});

test('a native side that throws, rejects or answers nonsense never reaches the app', async () => {
  const hostile: Record<string, unknown> = {};
  const answers: unknown[] = [
    () => {
      throw new Error('native');
    },
    () => Promise.reject(new Error('native')),
    () => undefined,
    () => 5,
    () => ({}),
    () => '[',
    () => '5',
  ];
  for (const answer of answers) {
    for (const name of Object.keys(noPort)) hostile[name] = answer;
    const client = new Client({ port: hostile as unknown as Port });
    client.open({});
    client.record({ kind: 'message', message: 'x' });
    client.recordFatal({ kind: 'crash', message: 'x' });
    client.setConsent('analytics', 'granted');
    expect(client.metrics()).toEqual([]);
    expect(client.traceHeaders({ trace_id: 'a', span_id: 'b' }, 'https://x')).toEqual({});
    expect(client.takeLog()).toEqual([]);
    client.status();
    await client.flush(1);
    await client.why('id', 1);
    await client.persist(1);
    await client.close(1);
  }
});

test('a hook changes an event, and one that drops or throws lets nothing through', () => {
  const { client, port, tick } = opened();
  client.open({});
  client.hooks.event = (event) => {
    if (event.kind === 'log') return null;
    if (event.kind === 'metric') throw new Error('hook');
    return { ...event, tags: { seen: 'yes' } };
  };
  expect(client.record({ kind: 'log', message: 'x' })).toBe('');
  expect(client.record({ kind: 'metric', name: 'm', type: 'counter', value: 1 })).toBe('');
  client.record({ kind: 'message', message: 'x' });
  tick();
  expect(port.items()).toEqual([expect.objectContaining({ kind: 'message', tags: { seen: 'yes' } })]);
  expect(client.filtered).toBe(2);
});

test('the last id is empty after an event that was not recorded', () => {
  const client = new Client({ port: recordingPort() });
  client.open({});
  client.hooks = { event: (item) => (item.kind === 'message' ? null : item) };
  const id = client.record({ kind: 'analytics', name: 'one' });
  expect(client.lastId).toBe(id);
  client.record({ kind: 'message', message: 'x' });
  expect(client.lastId).toBe('');
  client.record({ kind: 'analytics', name: 'two' });
  client.switchOff();
  client.record({ kind: 'analytics', name: 'three' });
  expect(client.lastId).toBe('');
});

test('a decision takes no room from what waits for the engine', () => {
  const { client, port } = opened();
  client.aboutBundle = { all: () => [{ scope: 'tag', name: 'bundle', value: '1' }], news: () => [] };
  for (let number = 0; number < waiting.items; number++) client.record({ kind: 'analytics', name: `e${number}` });
  client.setConsent('analytics', 'granted');
  client.open({});
  const [about, ...events] = port.items();
  expect(about).toEqual({ scope: 'tag', name: 'bundle', value: '1' });
  expect(events).toHaveLength(waiting.items);
  expect(events[0]).toMatchObject({ name: 'e0' });
});

test('what a hook records does not call the hook again', () => {
  const { client, port, tick } = opened();
  client.open({});
  client.hooks.event = (event) => {
    client.record({ kind: 'message', message: 'from the hook' });
    return event;
  };
  client.record({ kind: 'message', message: 'first' });
  tick();
  expect(port.items().map((item) => item.message)).toEqual(['from the hook', 'first']);
});

test('after close, and while it is switched off, nothing is kept, also not for a later start', async () => {
  const { client, port } = opened();
  client.record({ kind: 'message', message: 'before' });
  client.switchOff();
  client.record({ kind: 'message', message: 'off' });
  client.open({});
  await client.close(100);
  expect(client.record({ kind: 'message', message: 'between' })).toBe('');
  client.breadcrumb({ message: 'between' });
  client.scope({ scope: 'super_clear' });
  client.open({});
  client.drain();
  expect(port.items()).toEqual([]);
});

test('what is decided before the engine is open takes effect before anything is recorded', () => {
  const order: string[] = [];
  const { client } = opened({
    setConsent: (purpose, consent) => order.push(`${purpose} ${consent}`) > 0,
    pauseDestination: (name) => `${order.push(`pause ${name}`)}`.slice(9),
    resumeDestination: (name) => `${order.push(`resume ${name}`)}`.slice(9),
    recordBatch: () => order.push('batch') > 0,
  });
  client.record({ kind: 'analytics', name: 'early' });
  expect(client.setConsent('analytics', 'granted')).toBe(true);
  expect(client.setConsent('analytics', 'denied')).toBe(true);
  expect(client.pauseDestination('ga4')).toBe('');
  client.pauseDestination('mixpanel');
  client.resumeDestination('mixpanel');
  expect(order).toEqual([]);
  client.open({});
  expect(order).toEqual(['analytics denied', 'pause ga4', 'resume mixpanel', 'batch']);
});

test('an async hook lets nothing through, and is counted', async () => {
  const { client, port, tick } = opened();
  client.open({});
  client.hooks.event = (async () => Promise.reject(new Error('async'))) as never;
  expect(client.record({ kind: 'message', message: 'x' })).toBe('');
  tick();
  expect(port.items()).toEqual([]);
  expect(client.filtered).toBe(1);
});
