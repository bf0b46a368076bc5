import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { hermes } from './vm.mjs';

const vm = hermes();
const { withRegistration } = createRequire(import.meta.url)('../../metro/debug-id.js');

/** A native side that prints the documents that it gets, and an engine that is open. */
const OPEN = `
  const say = (value) => print(JSON.stringify(value));
  const answers = { open: '{"seed":"000102030405060708090a0b0c0d0e0f"}', recordBatch: true, recordFatal: true };
  globalThis.nativeModules = {
    RezMonitor: new Proxy({}, {
      get: (_, name) => (...args) => {
        if (name === 'recordBatch' || name === 'recordFatal') say({ [name]: JSON.parse(args[0]).items });
        return name in answers ? answers[name] : '';
      },
    }),
  };
  const rez = require('@rez/monitor');
  const open = (more) => rez.init({ consent: { monitoring: 'granted', analytics: 'granted' }, ...more });
`;

/** By source: some are run both as source and as bytecode, and a bundle takes seconds. */
const bundles = new Map();

function bundle(source, minify) {
  const key = `${minify} ${source}`;
  if (!bundles.has(key)) bundles.set(key, vm.bundle(source, { minify }));
  return bundles.get(key);
}

function run(source, options = {}) {
  const { prelude = '', minify = false, ...how } = options;
  const { printed, status, stderr } = vm.run(prelude + bundle(source, minify), how);
  assert.equal(status, options.status ?? 0, stderr);
  return {
    printed,
    items: printed.flatMap(({ recordBatch = [] }) => recordBatch),
    fatals: printed.flatMap(({ recordFatal = [] }) => recordFatal),
    stderr,
  };
}

const names = (frames) => frames.map((frame) => frame.function ?? '?').reverse();

test('without a native module every call works and records nothing', () => {
  const { printed } = run(`
    import * as rez from '@rez/monitor';
    const { recording, problems } = rez.init({ consent: { monitoring: 'granted', analytics: 'granted' } });
    const ids = [rez.captureException(new Error('m')), rez.captureMessage('m'), rez.logEvent('e'), rez.people.set('a', 1)];
    rez.trackScreenLoad('Cart').finish();
    rez.flush().then((flushed) => print(JSON.stringify({ recording, problems: problems.length, ids, flushed })));
  `);
  assert.equal(printed.length, 1);
  assert.deepEqual([printed[0].recording, printed[0].problems, printed[0].ids], [false, 1, ['', '', '', '']]);
  assert.match(printed[0].flushed.error, /native module RezMonitor is missing/);
});

test('each entry of the package is imported', () => {
  const entries = ['', '/sentry', '/datadog', '/firebase-analytics', '/mixpanel', '/guide'];
  const { printed } = run(
    entries
      .map(
        (entry) =>
          `{ const all = require('@rez/monitor${entry}'); print(JSON.stringify({ n: Object.keys(all).length })); }`,
      )
      .join('\n'),
  );
  assert.equal(printed.length, entries.length);
  for (const { n } of printed) assert.ok(n > 0);
});

test('each kind is recorded, in its order', () => {
  const { items } = run(`${OPEN}
    open();
    rez.setUser({ id: 'u-42' });
    rez.setTag('store', 'pune');
    rez.addBreadcrumb({ category: 'ui', message: 'Pay', data: { items: 3 } });
    rez.captureMessage('hello', 'warning');
    rez.captureFeedback('slow');
    rez.logEvent('begin_checkout', { value: 1499.5 });
    rez.logScreenView('Cart');
    rez.trackInteraction('tap', 'PayButton');
    rez.trackRevenue(10, { currency: 'INR' });
    rez.people.increment('orders');
    const screen = rez.trackScreenLoad('Cart');
    const call = rez.trackAPICall('GET', 'https://api.shop.example/cart');
    call.finish({ status: 200 });
    screen.finish();
    rez.trackImageLoad('https://cdn.shop.example/a.png', 12);
    rez.startSpan('checkout', 'task').finish();
    rez.captureException(new TypeError('card declined'));
    require('@rez/monitor/datadog').datadogLogs.logger.info('paid');
  `);
  assert.deepEqual(
    items.map((item) => item.kind ?? item.scope ?? 'breadcrumb'),
    [
      ...['user', 'tag', 'breadcrumb', 'message', 'feedback', 'analytics', 'screen_view', 'interaction', 'revenue'],
      ...['user_prop', 'screen', 'api_call', 'screen_load', 'image_load', 'span', 'span', 'error', 'log'],
    ],
  );
  for (const item of items)
    if (item.kind !== undefined) assert.match(item.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
});

test('values that JSON does not hold are recorded', () => {
  const { items } = run(`${OPEN}
    open();
    const cyclic = {}; cyclic.self = cyclic;
    rez.logEvent('e', { cyclic, nan: NaN, fn: () => 1, symbol: Symbol('s'), date: new Date(0), map: new Map([['a', 1]]) });
  `);
  assert.deepEqual(items[0].attrs, {
    cyclic: { self: '[Circular]' },
    nan: 'NaN',
    fn: '[Function]',
    symbol: '[Symbol]',
    date: '1970-01-01T00:00:00.000Z',
    map: { a: 1 },
  });
});

test('an uncaught error is on the disk before the handler before ours runs', () => {
  const { printed, fatals } = run(`${OPEN}
    let handler = (error) => say({ before: error.message });
    globalThis.ErrorUtils = { getGlobalHandler: () => handler, setGlobalHandler: (next) => { handler = next; } };
    open();
    rez.logEvent('last');
    function pay() { throw new TypeError('card declined'); }
    try { pay(); } catch (error) { handler(error, true); }
  `);
  assert.deepEqual(
    printed.map((line) => Object.keys(line)[0]),
    ['recordFatal', 'before'],
  );
  assert.deepEqual(
    fatals.map(({ kind, name, type, level, handled }) => [kind, name ?? type, level, handled]),
    [
      ['analytics', 'last', undefined, undefined],
      ['crash', 'TypeError', 'fatal', false],
    ],
  );
  assert.equal(names(fatals[1].frames)[0], 'pay');
});

test('the tracker of Hermes reports rejections that nobody handles, once, whatever was rejected', () => {
  const { items } = run(`${OPEN}
    open();
    async function load() { throw new RangeError('no cart'); }
    load();
    Promise.reject('text');
    Promise.reject(undefined);
    Promise.reject(new Error('handled')).catch(() => 0);
    const known = new Error('known');
    rez.captureException(known);
    Promise.reject(known);
    setTimeout(() => 0, 10000);
  `);
  assert.deepEqual(
    items.map(({ type, message, mechanism }) => [type, message, mechanism]),
    [
      ['Error', 'known', undefined],
      ['RangeError', 'no cart', 'promise'],
      ['NonError', 'text', 'promise'],
      ['NonError', 'undefined', 'promise'],
    ],
  );
});

/** Frames of every form that Hermes writes: native, anonymous, getters, constructors, a late call, eval. */
const SHAPES = `${OPEN}
  open();
  class Cart {
    get total() { return [1].map(() => { throw new TypeError('card declined'); }); }
    constructor() { this.sum = this.total; }
  }
  function checkout() { return new Cart(); }
  try { checkout(); } catch (error) { say({ stack: error.stack }); rez.captureException(error); }
  setTimeout(() => { try { checkout.call(null); } catch (error) { rez.captureException(error); } }, 5);
`;

test('a stack of source is parsed: native, anonymous and named frames', () => {
  const { items, printed } = run(SHAPES, { name: 'cart.js' });
  const { stack } = printed.find((line) => line.stack);
  const [now, late] = items.map(({ frames }) => frames);
  assert.match(stack, /^TypeError: card declined\n {4}at anonymous \(cart\.js:\d+:\d+\)\n {4}at map \(native\)/);
  assert.deepEqual(names(now).slice(0, 2), ['?', 'map']);
  assert.ok(names(now).includes('checkout') && names(now).includes('Cart'), stack);
  assert.equal(now.length, stack.split('\n').length - 1, 'each line is a frame');
  assert.ok(names(late).includes('checkout'));
  for (const { file, line, column } of now.filter(({ file }) => file)) {
    assert.ok(stack.includes(`(${file}:${line}:${column})`));
  }
});

test('a stack of bytecode is parsed, with the name of the bundle that servers know', () => {
  const { items, printed } = run(SHAPES, { bytecode: true, name: 'index.android.bundle' });
  const { stack } = printed.find((line) => line.stack);
  assert.match(stack, /at anonymous \(address at index\.android\.bundle:1:\d+\)\n {4}at map \(native\)/);
  const [{ frames }] = items;
  assert.equal(frames.length, stack.split('\n').length - 1, stack);
  const inner = frames.at(-1);
  assert.deepEqual([inner.file, inner.line, inner.in_app], ['app:///index.android.bundle', 1, true]);
  assert.ok(stack.includes(`:1:${inner.column})`));
  assert.deepEqual(
    frames.find((frame) => frame.function === 'map'),
    { function: 'map', in_app: false },
  );
});

const ID = '85314830-023f-5cf1-a267-535f4e37bb17';

for (const bytecode of [false, true]) {
  test(`the debug id that ${bytecode ? 'bytecode' : 'source'} registers has the file of the frames`, () => {
    const [{ output }] = withRegistration([], ID);
    const source = `${OPEN} open(); rez.captureException(new Error('m'));`;
    const { items } = run(source, { bytecode, name: 'main.jsbundle', prelude: `${output[0].data.code}\n` });
    const [ids, { frames }] = items;
    assert.equal(ids.name, 'debug_ids');
    assert.deepEqual(ids.value, { [frames.at(-1).file]: ID });
    assert.equal(frames.at(-1).file, 'app:///main.jsbundle');
  });
}

/** Babel lowers these classes to functions: the engine is older than classes. */
const CLASSES = `${OPEN}
  open();
  class AppError extends Error {}
  class PaymentError extends AppError { constructor(message, cause) { super(message); this.cause = cause; } }
  class NamedError extends Error { constructor(message) { super(message); this.name = 'CardError'; } }
  function decline() { throw new PaymentError('declined', new NamedError('expired')); }
  function group() {
    const all = new Error('all failed'); all.name = 'AggregateError'; all.errors = [new NamedError('one'), 'two'];
    throw all;
  }
  for (const run of [decline, group]) try { run(); } catch (error) { rez.captureException(error); }
`;

for (const bytecode of [false, true]) {
  test(`a class of Babel keeps type, message, cause and the place that threw (${bytecode ? 'bytecode' : 'source'})`, () => {
    const { items } = run(CLASSES, { bytecode, name: 'index.android.bundle' });
    const [payment, group] = items;
    assert.deepEqual(
      [payment.type, payment.message, names(payment.frames)[0]],
      ['PaymentError', 'declined', 'decline'],
    );
    assert.deepEqual(
      payment.causes.map(({ type, message, source, frames }) => [type, message, source, names(frames)[0]]),
      [['CardError', 'expired', 'cause', 'decline']],
    );
    assert.deepEqual([group.type, group.group, names(group.frames)[0]], ['AggregateError', true, 'group']);
    assert.deepEqual(
      group.causes.map(({ type, message, source }) => [type, message, source]),
      [
        ['CardError', 'one', 'errors[0]'],
        ['NonError', 'two', 'errors[1]'],
      ],
    );
    assert.equal(names(group.causes[0].frames)[0], 'group');
  });
}

test('a minified class has the name that the app has set, or that of the built-in class', () => {
  const { items } = run(CLASSES, { minify: true, bytecode: true, name: 'index.android.bundle' });
  const [payment, group] = items;
  assert.deepEqual([payment.type, payment.message], ['Error', 'declined']);
  assert.deepEqual([payment.causes[0].type, payment.causes[0].message], ['CardError', 'expired']);
  assert.deepEqual([group.type, group.causes[0].type], ['AggregateError', 'CardError']);
  for (const { frames } of [payment, payment.causes[0], group]) assert.ok(frames.length > 0);
});
