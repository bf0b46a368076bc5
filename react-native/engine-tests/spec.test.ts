/** Each method of the native module does what its specification says. */
import { addon, batch, newEngine, newFolder, open, settings, WAIT_MS } from './addon';
import { Collector } from './collector';

const SEED = /^[0-9a-f]{32}$/;
const TRACE = { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' };
const message = (text: string, more: object = {}) => batch({ kind: 'message', message: text, ...more });

test('open answers with a seed, and a second object joins the engine of the folder with its own destinations', async () => {
  const collector = await Collector.start();
  const folder = newFolder();
  const native = newEngine();
  const opened = JSON.parse(native.open(settings(folder), ''));
  expect(opened).toEqual({ seed: expect.stringMatching(SEED), joined: false });
  expect(native.recordBatch(message('before the start of JavaScript'))).toBe(true);
  const script = newEngine();
  const joined = JSON.parse(
    script.open(settings(folder, { app: 'ignored', destinations: [collector.destination()] }), ''),
  );
  expect(joined).toEqual({ seed: expect.stringMatching(SEED), joined: true });
  expect(joined.seed).not.toBe(opened.seed);
  await script.flush(WAIT_MS);
  expect(collector.events()).toMatchObject([{ message: 'before the start of JavaScript' }]);
  await native.close(WAIT_MS);
  expect(script.recordBatch(message('after the close'))).toBe(false);
});

test('a join with wrong destinations is an error, and the engine goes on', () => {
  const { engine, folder } = open();
  const wrong = settings(folder, { destinations: [{ name: 'a', kind: 'fax' }] });
  const other = newEngine();
  expect(JSON.parse(other.open(wrong, '')).error).toContain('fax');
  expect(other.recordBatch(message('one'))).toBe(false);
  expect(engine.recordBatch(message('two'))).toBe(true);
});

test('two engines in two folders know nothing of each other', async () => {
  const [one, other] = [open(), open()];
  one.engine.recordBatch(message('one'));
  other.engine.recordBatch(message('other'));
  expect(await one.rows()).toMatchObject([{ json: { message: 'one' } }]);
  await one.engine.close(WAIT_MS);
  other.engine.recordBatch(message('another'));
  expect(await other.rows()).toMatchObject([{ json: { message: 'other' } }, { json: { message: 'another' } }]);
});

test('an engine that is closed can be opened again and has kept its rows', async () => {
  const { engine, folder } = open();
  engine.recordBatch(message('kept'));
  expect(await engine.close(WAIT_MS)).toBe('');
  expect(JSON.parse(engine.open(settings(folder), ''))).toMatchObject({ joined: false });
  expect(await engine.persist(WAIT_MS)).toBe('');
  expect(JSON.parse(addon.testRows(folder)).rows).toMatchObject([{ run: 1, json: { message: 'kept' } }]);
});

test('recordBatch keeps the order of its items and its own ids', async () => {
  const { engine, rows } = open();
  const id = '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11';
  const items = [
    { scope: 'tag', name: 'store', value: 'pune-04' },
    { breadcrumb: { category: 'ui.click', message: 'Pay' } },
    { kind: 'analytics', name: 'begin_checkout', attrs: { value: 1499.5 } },
    { kind: 'error', id, type: 'PaymentError', message: 'card declined \ud83d\udcb3 \ud800' },
  ];
  expect(engine.recordBatch(batch(...items))).toBe(true);
  expect(await rows()).toMatchObject([
    { kind: 'analytics', json: { name: 'begin_checkout', attrs: { value: 1499.5 } } },
    {
      kind: 'error',
      id,
      json: { message: 'card declined \ud83d\udcb3 \ufffd', tags: { store: 'pune-04' }, trail: [{ message: 'Pay' }] },
    },
  ]);
});

test('recordFatal makes a crash of the last event, which is on the disk when it returns', async () => {
  const { engine, folder } = open();
  expect(engine.recordFatal(batch({ kind: 'message', message: 'first' }, { kind: 'error', type: 'TypeError' }))).toBe(
    true,
  );
  const rows = JSON.parse(addon.testRows(folder)).rows;
  expect(rows).toMatchObject([{ kind: 'message' }, { kind: 'crash', json: { type: 'TypeError', handled: false } }]);
});

test('a purpose that is denied refuses its events, and granted again takes them', () => {
  const { engine } = open();
  const event = batch({ kind: 'analytics', name: 'add_to_cart' });
  expect(engine.setConsent('analytics', 'denied')).toBe(true);
  expect(engine.recordBatch(event)).toBe(false);
  expect(engine.recordBatch(message('monitoring is another purpose'))).toBe(true);
  expect(engine.setConsent('analytics', 'granted')).toBe(true);
  expect(engine.recordBatch(event)).toBe(true);
});

test('forgetUser erases what was recorded before', async () => {
  const { engine, rows } = open();
  engine.recordBatch(message('before'));
  expect(engine.forgetUser()).toBe(true);
  engine.recordBatch(message('after'));
  expect(await rows()).toMatchObject([{ json: { message: 'after' } }]);
});

test('newSession and a long time in the background start a session each', async () => {
  addon.testClock(1_795_400_000_000, 1_000_000);
  const { engine, rows } = open({ sessions: true, sessionBackgroundMs: 30_000 });
  const sessions = async () => new Set((await rows()).map(({ json }) => json.session)).size;
  engine.recordBatch(message('first'));
  expect(await sessions()).toBe(1);
  expect(engine.newSession()).toBe(true);
  engine.recordBatch(message('second'));
  expect(await sessions()).toBe(2);
  expect(engine.setForeground(false)).toBe(true);
  addon.testAdvance(31_000);
  expect(engine.setForeground(true)).toBe(true);
  engine.recordBatch(message('third'));
  expect(await sessions()).toBe(3);
});

test('facts and release belong to the run of later events, conditions to errors', async () => {
  const { engine, rows, runs } = open({}, { model: 'Pixel 9', later: 1 });
  engine.recordBatch(message('before'));
  expect(engine.setFacts('{"model":"Pixel 10","locale":"hi-IN"}')).toBe('');
  expect(engine.setRelease('shop@1.4.1+53', '53')).toBe('');
  expect(engine.setConditions('{"battery":0.35,"connection":"wifi","mood":"good"}')).toBe('');
  engine.recordBatch(batch({ kind: 'error', type: 'E' }));
  const [before, after] = await rows();
  expect(after?.json).toMatchObject({ conditions: { battery: 0.35, connection: 'wifi' } });
  const run = (number: number | undefined) => runs().find((one) => one.number === number);
  expect(run(before?.run)).toMatchObject({ release: 'shop@1.4.0+52', facts: { model: 'Pixel 9' } });
  const changed = { release: 'shop@1.4.1+53', dist: '53', facts: { model: 'Pixel 10', locale: 'hi-IN' } };
  expect(run(after?.run)).toMatchObject(changed);
  expect(engine.setRelease('shop@1.4.2', '')).toBe('');
  engine.recordBatch(message('last'));
  expect(run((await rows()).at(-1)?.run)).not.toHaveProperty('dist');
});

test('a destination is added from the oldest row or from now, paused, resumed and removed', async () => {
  const collector = await Collector.start();
  const { engine } = open();
  const add = (name: string, from: string) =>
    engine.addDestinations(JSON.stringify({ destinations: [collector.destination(name)] }), from);
  const sent = async () => {
    await engine.flush(WAIT_MS);
    return collector.events().map((event) => event.message);
  };
  engine.recordBatch(message('one'));
  await engine.persist(WAIT_MS);
  expect(add('all', 'oldest')).toBe('');
  expect(await sent()).toEqual(['one']);
  expect(engine.pauseDestination('all')).toBe('');
  engine.recordBatch(message('two'));
  expect(await sent()).toEqual(['one']);
  expect(engine.resumeDestination('all')).toBe('');
  engine.recordBatch(message('three'));
  expect(await sent()).toEqual(['one', 'three']);
  expect(engine.removeDestination('all')).toBe('');
  engine.recordBatch(message('four'));
  await engine.persist(WAIT_MS);
  expect(add('late', 'now')).toBe('');
  expect(await sent()).toEqual(['one', 'three']);
  engine.recordBatch(message('five'));
  expect(await sent()).toEqual(['one', 'three', 'five']);
});

test('trace headers are for the targets of the app', () => {
  const { engine } = open({ traceTargets: ['api.example.com'] });
  const headers = (url: string) => JSON.parse(engine.traceHeaders(JSON.stringify(TRACE), url));
  const traceparent = expect.stringMatching(`^00-${TRACE.trace_id}-${TRACE.span_id}-0[01]$`);
  expect(headers('https://api.example.com/orders')).toMatchObject({ traceparent });
  for (const url of ['https://other.example/?to=https://api.example.com', 'no address', ''])
    expect(headers(url)).toEqual({});
});

test('status says in numbers and in sentences what waits', async () => {
  const { engine } = open();
  engine.recordBatch(message('one'));
  await engine.persist(WAIT_MS);
  const { status, lines } = JSON.parse(engine.status());
  expect(status).toMatchObject({ store: { state: 'ready' }, accepted: 1, folded: 1, refused: [], routes: [] });
  expect(lines).toEqual(status.lines);
  expect(lines).toContain('1 event accepted');
});

test('metrics are the durations of this run until they are cleared', async () => {
  const { engine } = open();
  const timing = (duration_us: number) => ({ kind: 'screen_load', name: 'Cart', duration_us });
  engine.recordBatch(batch(timing(120_000), timing(240_000)));
  await engine.persist(WAIT_MS);
  const metrics = JSON.parse(engine.metrics());
  expect(metrics).toMatchObject([{ name: 'screen_Cart_load', last: 240_000, count: 2 }]);
  for (const part of ['p50', 'p95', 'p99']) expect(metrics[0][part]).toEqual(expect.any(Number));
  expect(engine.clearMetrics()).toBe(true);
  expect(engine.metrics()).toBe('[]');
});

test('takeLog has what a developer must know, once, and only while debug is on', async () => {
  const told = open({ debug: true });
  const silent = open({ debug: false });
  for (const { engine } of [told, silent]) {
    engine.recordBatch(message('one', { targets: ['nowhere'] }));
    await engine.persist(WAIT_MS);
    // Its thread has told everything when the engine is closed.
    await engine.close(WAIT_MS);
  }
  const deadline = Date.now() + WAIT_MS;
  let lines: unknown[] = [];
  while (lines.length === 0 && Date.now() < deadline) {
    lines = JSON.parse(told.engine.takeLog());
    await new Promise((resolve) => setImmediate(resolve));
  }
  const text = expect.stringContaining('`nowhere`');
  expect(lines).toEqual([{ level: 'warning', code: 'unknown_target', text }]);
  expect([told.engine.takeLog(), silent.engine.takeLog()]).toEqual(['[]', '[]']);
});

test('flush tells per destination what was delivered, what is left and why', async () => {
  const collector = await Collector.start();
  const { engine } = open({ destinations: [collector.destination('team'), collector.destination('copy')] });
  engine.recordBatch(message('one'));
  const { destinations } = JSON.parse(await engine.flush(WAIT_MS));
  // The engine may have sent it before the flush, which then has delivered nothing.
  const delivered = { delivered: expect.any(Number), left: 0, held: null, text: expect.any(String) };
  const names = (a: { destination: string }, b: { destination: string }) => (a.destination < b.destination ? -1 : 1);
  expect(destinations.sort(names)).toEqual([
    { destination: 'copy', ...delivered },
    { destination: 'team', ...delivered },
  ]);
  expect(collector.events()).toMatchObject([{ message: 'one' }, { message: 'one' }]);
  collector.status = 503;
  engine.recordBatch(message('two'));
  const held = JSON.parse(await engine.flush(WAIT_MS)).destinations;
  expect(held).toMatchObject([
    { left: 1, held: { code: expect.any(String) } },
    { left: 1, held: { code: expect.any(String) } },
  ]);
});

test('why follows an event from the ring to the server', async () => {
  const collector = await Collector.start();
  const { engine } = open({ destinations: [collector.destination()] });
  const id = '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11';
  expect(JSON.parse(await engine.why(id, WAIT_MS))).toMatchObject({ row: null, text: expect.any(String) });
  engine.recordBatch(message('one', { id }));
  await engine.flush(WAIT_MS);
  expect(JSON.parse(await engine.why(id, WAIT_MS)).routes).toMatchObject([
    { route: 'team/rez.batch', state: 'delivered' },
  ]);
});

test('close sends what it can, and many promises may wait at once', async () => {
  const collector = await Collector.start();
  const { engine } = open({ sessions: true, destinations: [collector.destination()] });
  engine.recordBatch(message('one'));
  const waits = Array.from({ length: 20 }, () => engine.persist(WAIT_MS));
  expect(new Set(await Promise.all(waits))).toEqual(new Set(['']));
  const [first, second] = await Promise.all([engine.close(WAIT_MS), engine.close(WAIT_MS)]);
  expect([first, second]).toEqual(['', '']);
  expect(collector.events().map(({ kind }) => kind)).toContain('session');
});
