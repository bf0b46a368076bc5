import { seeded } from '../../testing/recording-port';
import { describe as asText, cut, limits, toJson } from '../json';

const through = (item: object): unknown => JSON.parse(toJson(item));

test('plain values stay as they are', () => {
  const item = { a: 'text', b: 1.5, c: true, d: null, e: [1, 'x', null], f: { g: { h: '' } } };
  expect(through(item)).toEqual(item);
});

test('a member that is undefined is left out, and an element becomes null', () => {
  expect(through({ a: undefined, b: [undefined, 1] })).toEqual({ b: [null, 1] });
});

test('what JSON cannot hold becomes text', () => {
  const values = {
    nan: Number.NaN,
    infinity: Number.POSITIVE_INFINITY,
    big: 12345678901234567890n,
    symbol: Symbol('secret'),
    call: () => 1,
    date: new Date(0),
    badDate: new Date(Number.NaN),
    error: new TypeError('no'),
    pattern: /a+/g,
    bytes: new Uint8Array(3),
    boxed: Object('text'),
  };
  expect(through(values)).toEqual({
    nan: 'NaN',
    infinity: 'Infinity',
    big: '12345678901234567890',
    symbol: '[Symbol]',
    call: '[Function]',
    date: '1970-01-01T00:00:00.000Z',
    badDate: 'Invalid Date',
    error: 'TypeError: no',
    pattern: '/a+/g',
    bytes: '[3 bytes]',
    boxed: 'text',
  });
});

test('maps and sets become objects and lists', () => {
  expect(
    through({
      map: new Map<unknown, unknown>([
        ['a', 1],
        [2, 'b'],
      ]),
      set: new Set([1, 2]),
    }),
  ).toEqual({
    map: { a: 1, 2: 'b' },
    set: [1, 2],
  });
});

test('an object that holds itself ends, and one that stands in two places is written twice', () => {
  const loop: Record<string, unknown> = { name: 'loop' };
  loop.self = loop;
  const shared = { x: 1 };
  expect(through({ loop, a: shared, b: shared })).toEqual({
    loop: { name: 'loop', self: '[Circular]' },
    a: { x: 1 },
    b: { x: 1 },
  });
});

test('a getter that throws costs its own member only', () => {
  const item = {
    good: 1,
    get bad(): string {
      throw new Error('no');
    },
  };
  expect(through(item)).toEqual({ good: 1, bad: '[unreadable]' });
});

test('a revoked proxy and a toString that throws are survived', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(through({ proxy, after: 1 })).toEqual({ proxy: '[unreadable]', after: 1 });
  const hostile = {
    toString: () => {
      throw new Error('no');
    },
  };
  expect(asText(hostile)).toBe('[unreadable]');
});

test('toJSON of the app is not called', () => {
  expect(through({ a: { toJSON: () => 'x', b: 1 } })).toEqual({ a: { toJSON: '[Function]', b: 1 } });
});

test('a member named __proto__ is a member', () => {
  expect(toJson(JSON.parse('{"a":{"__proto__":{"x":1}}}'))).toBe('{"a":{"__proto__":{"x":1}}}');
});

test('what is nested too deeply ends without recursion', () => {
  let deep: unknown = 'end';
  for (let at = 0; at < 100_000; at++) deep = [deep];
  expect(toJson({ deep })).toContain('[too deep]');
});

test('an item never exceeds its limit, whatever it holds', () => {
  const items = [
    { text: 'x'.repeat(10_000_000) },
    { many: Array.from({ length: 100_000 }, (_, at) => `text ${at}`) },
    Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`name ${at}`.repeat(50), 'v'.repeat(500)])),
    { quotes: '"'.repeat(20_000), more: '\u0000'.repeat(20_000) },
  ];
  for (const item of items) {
    const text = toJson(item);
    expect(text.length).toBeLessThanOrEqual(limits.item);
    expect(Object.keys(JSON.parse(text)).length).toBeGreaterThan(0);
  }
});

const ID = '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11';
const TRACE = { trace_id: '4bf92f3577b34da6a3ce929d0e0e4736', span_id: '00f067aa0ba902b7' };

const wide = (depth: number): unknown =>
  depth === 0
    ? 'leaf '.repeat(10)
    : Object.fromEntries(Array.from({ length: 6 }, (_, at) => [`member ${at}`, wide(depth - 1)]));

test.each([
  [
    'a list of many objects',
    { attrs: { items: Array.from({ length: 250 }, (_, at) => ({ ...Array(8).fill(at) })), value: 1 } },
  ],
  ['a nested object', { attrs: wide(4), context: wide(4) }],
  ['a member of megabytes', { attrs: { text: '\u0001'.repeat(5_000_000) } }],
  ['many members of its own', Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`x${at}`, wide(3)]))],
])('an event with %s keeps its kind, name, id and targets', (_, more) => {
  const item = { kind: 'analytics', name: 'checkout', ...more, id: ID, targets: ['ga4'], trace: TRACE };
  const text = toJson(item);
  expect(text.length).toBeLessThanOrEqual(limits.item);
  expect(JSON.parse(text)).toMatchObject({
    kind: 'analytics',
    name: 'checkout',
    targets: ['ga4'],
    trace: TRACE,
  });
  expect(JSON.parse(text).id).toBe(ID);
});

test('an item of which nothing is left is none', () => {
  expect(toJson({})).toBe('');
  expect(toJson({ a: undefined })).toBe('');
});

test('a cut never parts a surrogate pair', () => {
  expect(cut('ab😀cd', 4)).toBe('ab…');
  expect(cut('abcdef', 4)).toBe('abc…');
});

test('no value makes it throw, and all give valid JSON', () => {
  const seed = Date.now() >>> 0;
  console.info(`seed ${seed}`);
  const random = seeded(seed);
  const make = (depth: number): unknown => {
    const kinds = [
      () => random() * 1e9,
      () => String.fromCharCode(random() * 65_536).repeat(random() * 20),
      () => null,
      () => undefined,
      () => Symbol('s'),
      () => () => 0,
      () => 10n,
      () => new Date(random() * 1e15 - 5e14),
      () => new Error('e'),
      () => Array.from({ length: random() * 5 }, () => make(depth + 1)),
      () => Object.fromEntries(Array.from({ length: random() * 5 }, (_, at) => [`k${at}`, make(depth + 1)])),
    ];
    return depth > 12 ? 0 : kinds[Math.floor(random() * kinds.length)]?.();
  };
  for (let at = 0; at < 2_000; at++) {
    const item = { value: make(0) };
    expect(() => JSON.parse(toJson(item) || '{}')).not.toThrow();
  }
});
