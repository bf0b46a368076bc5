/** The contract vectors through the client, on the real engine: its rows and runs are those of every other language. */
import { CALLS } from './calls';
import { withoutIds } from './compare';
import { GUARD_VERBS, isGuardVerb } from './guards';
import { ITEMS } from './items';
import {
  documentedVerbs,
  expectedNames,
  expectedRows,
  type Rows,
  refusals,
  text,
  type Vector,
  vectors,
} from './vector';
import { play } from './world';

const VECTORS = vectors();
const WITH_GUARDS = VECTORS.filter(({ calls }) => calls.some((call) => isGuardVerb(text(call, 'do'))));

const expected = (vector: Vector) => withoutIds(expectedRows(vector.name), vector);

test.each(VECTORS)('$name: $what', async (vector) => {
  const { refused, ...rows } = await play(vector);
  expect(withoutIds(rows, vector)).toEqual(expected(vector));
  expect(refusals(vector)).toMatchObject(refused);
});

describe('screens, API calls and spans by the objects of the package', () => {
  test.each(WITH_GUARDS)('$name: $what', async (vector) => {
    const { refused, ...rows } = await play(vector, 'api');
    expect(withoutIds(rows, vector)).toEqual(expected(vector));
    expect(refusals(vector)).toMatchObject(refused);
  });
});

test('every vector has expected rows, and all expected rows belong to a vector', () => {
  expect(VECTORS.length).toBeGreaterThanOrEqual(150);
  expect(VECTORS.map(({ name }) => name)).toEqual(expectedNames());
});

test('every call of the README has one rule here, and no rule is for another call', () => {
  const rules = ['advance', ...GUARD_VERBS, ...Object.keys(ITEMS), ...Object.keys(CALLS)];
  expect(rules.sort()).toEqual(documentedVerbs().sort());
});

test.each(['screen_children', 'span_children', 'error_causes', 'facts_full', 'session_background'])(
  'a changed value anywhere in the expected rows of %s is noticed',
  async (name) => {
    const vector = named(name);
    const { refused: _, ...rows } = await play(vector);
    const found = withoutIds(rows, vector);
    const written = expectedRows(name);
    let changed = 0;
    for (const { holder, member, value } of leaves(written)) {
      if (member === 'crc32') continue;
      for (const other of othersThan(value)) {
        holder[member] = other;
        expect([member, other, withoutIds(written, vector)]).not.toEqual([member, other, found]);
        changed += 1;
      }
      holder[member] = value;
    }
    expect(withoutIds(written, vector)).toEqual(found);
    expect(changed).toBeGreaterThan(30);
  },
);

test('an id that refers to another event than expected is noticed', async () => {
  const vector = named('screen_children');
  const { refused: _, ...rows } = await play(vector);
  const found = withoutIds(rows, vector);
  const written = expectedRows(vector.name);
  const { trace } = (written.rows as [{ json: { trace: { parent: string; span_id: string } } }])[0].json;
  for (const [member, other] of [
    ['parent', trace.span_id],
    ['parent', '00f067aa0ba902b7'],
    ['span_id', trace.parent],
  ] as const) {
    const before = trace[member];
    trace[member] = other;
    expect(withoutIds(written, vector)).not.toEqual(found);
    trace[member] = before;
  }
  expect(withoutIds(written, vector)).toEqual(found);
});

test.each<[string, object[], object, string]>([
  ['an unknown verb', [{ do: 'telepathy' }], {}, 'telepathy'],
  ['a span that was not begun', [{ do: 'finish_span', of: 'x' }], {}, '`x`'],
  ['a parent that was not begun', [{ do: 'span', as: 'a', in: 'x', name: 'n', op: 'task' }], {}, '`x`'],
  ['a header of no trace', [{ do: 'message', text: 'm', traceparent: '00-0-0-00' }], {}, '00-0-0-00'],
  ['a call that the engine refuses', [{ do: 'consent', purpose: 'analytics', state: 'perhaps' }], {}, 'false'],
  ['a sentence of the engine', [{ do: 'pause', name: 'two words' }], {}, 'two words'],
  ['a step without milliseconds', [{ do: 'advance' }], {}, '`ms`'],
  ['an unknown setting', [], { sesions: true }, 'sesions'],
])('%s fails the vector', async (what, calls, config, named) => {
  const vector = { name: 'bad', what, calls: calls as Vector['calls'], config: config as object, text: '' } as Vector;
  await expect(play(vector)).rejects.toThrow(named);
});

function named(name: string): Vector {
  const vector = VECTORS.find((one) => one.name === name);
  if (vector === undefined) throw new Error(`there is no vector ${name}`);
  return vector;
}

interface Leaf {
  holder: Record<string, unknown>;
  member: string;
  value: unknown;
}

function leaves(value: Rows): Leaf[] {
  const walk = (holder: Record<string, unknown>): Leaf[] =>
    Object.entries(holder).flatMap(([member, value]) =>
      typeof value === 'object' && value !== null ? walk(value as Leaf['holder']) : [{ holder, member, value }],
    );
  return walk(value as unknown as Leaf['holder']);
}

/** Values in the place of this one: another of its type, and none. */
function othersThan(value: unknown): unknown[] {
  if (typeof value === 'number') return [value + 1, String(value), undefined];
  if (typeof value === 'boolean') return [!value, undefined];
  return [`${value}.`, undefined];
}
