/** Values that an app can pass by mistake, and numbers of a seed. */
import { seeded } from '../src/testing/recording-port';

/** The seed of this run: `REZ_SEED`, or one that is always the same. */
export const SEED = Number(process.env.REZ_SEED ?? 20_261_129);

export const numbers = (salt: number) => seeded(SEED + salt);

/** The bad input that the documentation of the package names, by what it is. */
export const BAD: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  'a cyclic object': () => {
    const one: Record<string, unknown> = { name: 'cycle' };
    one.self = one;
    return one;
  },
  'a getter that throws': () => throwing('level'),
  'a proxy that refuses everything': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'a BigInt': () => 10n ** 30n,
  'a Symbol': () => Symbol('s'),
  'a function': () => function pay() {},
  'a text of 10 MB': () => 'x'.repeat(10 << 20),
  'a NaN date': () => new Date(Number.NaN),
  'not a number': () => Number.NaN,
  'an infinite number': () => Number.NEGATIVE_INFINITY,
  'an Error without a stack': () => {
    const error = new Error('bare');
    delete error.stack;
    Object.defineProperty(error, 'stack', { value: undefined });
    return error;
  },
  'an Error whose members throw': () => {
    const error = new Error('shy');
    for (const name of ['stack', 'message', 'name', 'cause']) Object.defineProperty(error, name, getter);
    return error;
  },
  'an object without a prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'a list with holes': () => Object.assign([undefined, Symbol('x')], { length: 5 }),
  'a lone surrogate': () => '\ud800',
};

const getter: PropertyDescriptor = {
  enumerable: true,
  configurable: true,
  get: () => {
    throw new Error('a getter of the app');
  },
};

export function throwing(...names: string[]): object {
  const one = { good: 'kept' };
  for (const name of names) Object.defineProperty(one, name, getter);
  return one;
}

const MEMBERS = ['consent', 'targets', 'attributes', 'sentry', 'dsn', 'tags', 'level', 'user', 'id', 'data', 'name'];

const SMALL = Object.entries(BAD).flatMap(([name, value]) => (name.includes('10 MB') ? [] : [value]));

/** A value of any kind, also nested. */
export function anything(random: () => number, depth = 0): unknown {
  const one = <T>(of: T[]) => of[Math.floor(random() * of.length)];
  const roll = random();
  if (roll < 0.4) return one(SMALL)?.();
  if (roll < 0.55) return one(['text', '', 'https://a.example/x', 'granted', 'error']);
  if (roll < 0.65) return one([0, 1, -5, 2 ** 53, 0.1]);
  if (depth > 2) return true;
  if (roll < 0.75) return Array.from({ length: Math.floor(random() * 4) }, () => anything(random, depth + 1));
  const members = MEMBERS.filter(() => random() < 0.3);
  return Object.fromEntries(members.map((name) => [name, anything(random, depth + 1)]));
}
