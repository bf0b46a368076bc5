/** Whatever is thrown, an item is made that JSON and the engine take. The seed is in the name of the test. */
import { errorItem } from '../exception';
import { encodedBytes, limits } from '../limits';
import { markReported, wasReported } from '../reported';
import { parseStack } from '../stack';

const SEED = Number(process.env.SEED ?? 20_261_123);
const ROUNDS = 1000;

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const PIECES = [
  'at ',
  'async ',
  '(',
  ')',
  ') (',
  ' (eval at ',
  '), ',
  '<anonymous>',
  'native',
  '[native code]',
  'address at ',
  '@',
  ':',
  ':1:2',
  ':99999999999',
  '/',
  '//&',
  '?q=1',
  '#',
  'http://',
  'a:b@',
  'data:',
  'main.jsbundle',
  'x.js',
  'node_modules/',
  'index ',
  ' [as ',
  ']',
  '\n',
  '\r\n',
  ' ',
  'Error: ',
  '0x',
  '+',
  '🛒',
  '\ud800',
  '\udc00',
  '\u0000',
  '"',
  '\\',
  'ж',
  '…',
  'a',
];
const NAMES = [
  'name',
  'message',
  'stack',
  'cause',
  'errors',
  'error',
  'suppressed',
  'code',
  'componentStack',
  'nativeStackAndroid',
  'nativeStackIOS',
  'constructor',
  'then',
  'length',
  'toString',
  '__proto__',
  'x',
  'context',
  'level',
  'tags',
];

class Maker {
  private readonly made: object[] = [];
  constructor(private readonly random: () => number) {}

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  text(): string {
    let out = '';
    for (let left = this.below(30); left > 0; left--) out += PIECES[this.below(PIECES.length)];
    return this.below(40) === 0 ? out.repeat(2000) : out;
  }

  value(depth: number): unknown {
    const simple = [
      undefined,
      null,
      Number.NaN,
      -0,
      1e300,
      BigInt(7),
      Symbol('s'),
      true,
      () => 1,
      class A {},
      new Date(Number.NaN),
    ];
    switch (this.below(depth > 4 ? 2 : 8)) {
      case 0:
        return this.text();
      case 1:
        return simple[this.below(simple.length)];
      case 2:
        return this.made[this.below(this.made.length)];
      case 3:
        return this.filled([], depth);
      case 4:
        return this.filled({}, depth);
      case 5:
        return this.hostile(this.filled(new Error(this.text()), depth));
      default:
        return this.filled(new Error(this.text()), depth);
    }
  }

  private filled(target: object, depth: number): object {
    this.made.push(target);
    for (let left = this.below(6); left > 0; left--) {
      const name = Array.isArray(target) ? this.below(5) : (NAMES[this.below(NAMES.length)] as string);
      const value = this.value(depth + 1);
      const throws = this.below(6) === 0;
      const get = () => {
        throw value;
      };
      try {
        Object.defineProperty(
          target,
          name,
          throws ? { get, configurable: true } : { value, configurable: true, enumerable: true },
        );
      } catch {
        // A length that is none.
      }
    }
    return this.below(8) === 0 ? Object.freeze(target) : target;
  }

  private hostile(target: object): object {
    const traps = ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'defineProperty'];
    const handler: Record<string, () => unknown> = {};
    for (const trap of traps) {
      const answer = this.below(3) === 0 ? this.value(4) : undefined;
      if (this.below(3) === 0) {
        handler[trap] = () => {
          if (answer === undefined) throw new Error(trap);
          return answer;
        };
      }
    }
    return new Proxy(target, handler);
  }
}

test(`any thrown value becomes an item that JSON holds (seed ${SEED})`, () => {
  for (let round = 0; round < ROUNDS; round++) {
    const make = new Maker(generator(SEED + round));
    const thrown = make.value(0);
    let seen = '';
    try {
      const item = errorItem(thrown, { componentStack: make.text(), stack: make.text(), code: make.text() });
      markReported(thrown);
      wasReported(thrown);
      seen = JSON.stringify(item);
      expect(JSON.parse(seen)).toEqual(item);
      expect(item.type).not.toBe('');
      expect(encodedBytes(item)).toBeLessThanOrEqual(limits.item + 100);
      for (const [at, cause] of (item.causes ?? []).entries()) expect(cause.parent).toBeLessThanOrEqual(at);
    } catch (error) {
      throw new Error(`round ${round}, SEED=${SEED + round}: ${error} in ${seen.slice(0, 500)}`);
    }
  }
});

test(`any options are passed on without a throw (seed ${SEED})`, () => {
  for (let round = 0; round < ROUNDS; round++) {
    const make = new Maker(generator(SEED + round));
    expect(errorItem(new Error('m'), make.value(0) as object).message).toBe('m');
  }
});

test(`any text is parsed into at most fifty frames with numbers of 32 bits (seed ${SEED})`, () => {
  for (let round = 0; round < ROUNDS; round++) {
    const make = new Maker(generator(SEED + round));
    const frames = parseStack(make.text(), make.text());
    expect(frames.length).toBeLessThanOrEqual(50);
    for (const frame of frames) {
      expect(typeof frame.in_app).toBe('boolean');
      expect(`${frame.file}`).not.toMatch(/\?|\/\/&/);
      for (const number of [frame.line ?? 0, frame.column ?? 0]) expect(number).toBe(number >>> 0);
    }
  }
});
