import { markReported, reportedAs, wasReported } from '../reported';

test('an error is known after it was marked, and no other', () => {
  const error = new Error('m');
  expect(wasReported(error)).toBe(false);
  expect(markReported(error)).toBe(true);
  expect(wasReported(error)).toBe(true);
  expect(Object.getOwnPropertySymbols(error)).toEqual([]);
  expect(wasReported(new Error('m'))).toBe(false);
  expect(wasReported(Object.assign(new Error('outer'), { cause: error }))).toBe(false);
});

test('an error says which event has reported it', () => {
  const error = new Error('m');
  expect(reportedAs(error)).toBeUndefined();
  markReported(error, 'id');
  expect(reportedAs(error)).toBe('id');
});

test('frozen objects, proxies and functions are marked', () => {
  const refuse = new Proxy(
    {},
    {
      get: () => () => {
        throw new Error('refused');
      },
    },
  );
  for (const thrown of [Object.freeze(new Error('m')), new Proxy({}, refuse), () => 1]) {
    expect(markReported(thrown)).toBe(true);
    expect(wasReported(thrown)).toBe(true);
  }
});

test.each([['text'], [undefined], [null], [1], [Symbol('s')]])('%p cannot be marked', (thrown) => {
  expect(markReported(thrown)).toBe(false);
  expect(wasReported(thrown)).toBe(false);
});

test('two copies of the package share the marks', () => {
  const error = new Error('m');
  markReported(error);
  jest.isolateModules(() => {
    const copy = require('../reported') as typeof import('../reported');
    expect(copy.markReported).not.toBe(markReported);
    expect(copy.wasReported(error)).toBe(true);
  });
});

test('an engine without WeakMap marks by a hidden member, which a frozen object refuses', () => {
  const known = globalThis.WeakMap;
  (globalThis as { WeakMap?: unknown }).WeakMap = undefined;
  try {
    const error = new Error('m');
    const frozen = Object.freeze(new Error('m'));
    expect([markReported(error), wasReported(error), markReported(error)]).toEqual([true, true, true]);
    expect(Object.keys(error)).toEqual([]);
    expect([markReported(frozen), wasReported(frozen)]).toEqual([false, false]);
  } finally {
    globalThis.WeakMap = known;
  }
});
