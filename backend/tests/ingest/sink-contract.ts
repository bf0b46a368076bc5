/**
 * The contract of a sink as tests: paste this file and call `sinkContract` for a sink of your own. `src/ingest/sinks/sink.ts` has the
 * rules in words.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Answers, Delivery, LostTotal, Row, Sink } from '../../src/ingest';

/** Two instances of a sink over one empty storage. */
export interface Pair {
  /** As in two processes. */
  readonly instances: readonly [Sink, Sink];
  /** The ids that are stored for a project, one for each row. A row may take a moment to be seen. */
  ids(project: string): Promise<readonly string[]>;
  /** The totals of lost events. Absent if the sink keeps none that can be read. */
  totals?(): Promise<readonly LostTotal[]>;
  close?(): Promise<void> | void;
}

/**
 * @param make a pair over a storage that is empty
 * @param recognises when a row that comes again is not stored again: `always`, also when two instances get it at once; `in turn`, when
 *   the first call has ended; `never`
 * @param keeps what the sink keeps besides rows: `answers`, and totals of lost events, which `totals` reads
 */
export function sinkContract(
  name: string,
  make: () => Promise<Pair>,
  recognises: 'always' | 'in turn' | 'never' = 'always',
  keeps: readonly ('answers' | 'lost')[] = ['answers', 'lost'],
): void {
  describe(name, () => {
    let pair: Pair | undefined;
    const open = async () => {
      pair = await make();
      return pair;
    };
    afterEach(async () => {
      await pair?.close?.();
      pair = undefined;
    });

    test('rows are stored, and none of them was there before', async () => {
      const { instances, ids } = await open();
      const stored = await instances[0].store(rows(3), delivery());
      expect([...(stored?.duplicates ?? [])]).toEqual([]);
      expect([...(stored?.refused ?? [])]).toEqual([]);
      await holds(ids, 'shop', idsOf(rows(3)));
    });

    testIf(recognises !== 'never')?.(
      'a row that comes again, also to another instance, is named and stored once',
      async () => {
        const { instances, ids } = await open();
        await instances[0].store(rows(3), delivery());
        const again = await instances[1].store(rows(5), delivery());
        expect([...(again?.duplicates ?? [])].toSorted()).toEqual(idsOf(rows(3)));
        await holds(ids, 'shop', idsOf(rows(5)));
      },
    );

    test('the same id of another project is another row', async () => {
      const { instances, ids } = await open();
      await instances[0].store(rows(1), delivery());
      const other = rows(1).map((row) => ({ ...row, project: 'other' }));
      const stored = await instances[0].store(other, { ...delivery(), project: 'other' });
      expect([...(stored?.duplicates ?? [])]).toEqual([]);
      await holds(ids, 'other', idsOf(rows(1)));
    });

    testIf(recognises === 'always')?.(
      'rows that come to two instances at once are stored once and counted once',
      async () => {
        const { instances, ids } = await open();
        const calls = Array.from({ length: 6 }, (_, at) => instances[at % 2]?.store(rows(40), delivery()));
        const fresh = (await Promise.all(calls)).map((stored) => 40 - [...(stored?.duplicates ?? [])].length);
        expect(fresh.reduce((sum, one) => sum + one)).toBe(40);
        await holds(ids, 'shop', idsOf(rows(40)));
      },
    );

    test('any JSON can be stored, and a row is not changed', async () => {
      const { instances, ids } = await open();
      const row = frozen({ ...rows(1)[0], fields: awkward() }) as Row;
      const before = JSON.stringify(row);
      const stored = await instances[0].store([row], delivery());
      expect([...(stored?.refused ?? [])]).toEqual([]);
      expect(JSON.stringify(row)).toBe(before);
      await holds(ids, 'shop', [row.id]);
    });

    test('it keeps what is said that it keeps', async () => {
      const { instances, totals } = await open();
      for (const { answers, lost } of instances) {
        expect(answers !== undefined).toBe(keeps.includes('answers'));
        if (keeps.includes('lost')) expect([lost, totals]).toEqual([expect.any(Function), expect.any(Function)]);
      }
    });

    testIf(keeps.includes('answers'))?.(
      'the first answer to a key is kept, in its project, and every instance knows it',
      async () => {
        const { instances } = await open();
        const [one, other] = instances.map(({ answers }) => answers) as [Answers, Answers];
        expect(await one.find('shop', 'k')).toBeUndefined();
        const first = { ids: 'a', body: '{"accepted":1}' };
        expect(await one.keep('shop', 'k', first)).toMatchObject(first);
        expect(await other.keep('shop', 'k', { ids: 'b', body: '{}' })).toMatchObject(first);
        expect(await other.find('shop', 'k')).toMatchObject(first);
        expect(await other.find('other', 'k')).toBeUndefined();
        // No two keys are one.
        expect(await other.find('shop","k', '')).toBeUndefined();
      },
    );

    testIf(keeps.includes('lost'))?.('of a total of lost events the maximum stays', async () => {
      const { instances, totals } = await open();
      const total = (epoch: number, count: number): LostTotal[] => [
        { project: 'shop', install: 'i1', epoch, kind: 'log', reason: 'sampled', count },
      ];
      for (const [epoch, count] of [
        [1, 5],
        [1, 9],
        [1, 7],
        [2, 1],
      ] as const) {
        await instances[count % 2]?.lost?.(total(epoch, count), delivery());
      }
      await Promise.all(instances.map((sink, at) => sink.lost?.(total(3, at), delivery())));
      expect((await totals?.())?.map(({ epoch, count }) => [epoch, count])).toEqual([
        [1, 9],
        [2, 1],
        [3, 1],
      ]);
    });
  });
}

/** A test of what a sink does not promise is not there, and none that is skipped. */
function testIf(isPromised: boolean): typeof test | undefined {
  return isPromised ? test : undefined;
}

/** The storage holds these ids and no other, each once. */
async function holds(ids: Pair['ids'], project: string, expected: readonly string[]): Promise<void> {
  await expect.poll(() => ids(project), { timeout: 20_000 }).toHaveLength(expected.length);
  expect((await ids(project)).toSorted()).toEqual(expected);
}

function delivery(): Delivery {
  return { project: 'shop', batch_id: 'b', install: 'i1', rejected: [], signal: new AbortController().signal };
}

function rows(count: number): Row[] {
  return Array.from({ length: count }, (_, at) => ({
    project: 'shop',
    id: `019f0c1e-7c1e-7a53-9b0e-${String(at).padStart(12, '0')}`,
    kind: 'error',
    seq: 2 ** 40 + at,
    install: 'i1',
    epoch: 1,
    batch_id: 'b',
    ts: '2026-11-23T02:18:05.338Z',
    corrected_at: new Date(1_795_400_000_000),
    received_at: new Date(1_795_400_001_000),
    sdk: { name: 'rez-monitor', version: '0.1.0' },
    resource: { run: 'r1', app: 'shop' },
    fields: { message: 'bad price', type: 'ParseError' },
  }));
}

function idsOf(all: readonly Row[]): string[] {
  return all.map(({ id }) => id);
}

/** JSON that some store cannot take as it is. */
function awkward(): Record<string, unknown> {
  let deep: unknown = 'bottom';
  for (let level = 0; level < 60; level++) deep = level % 2 === 0 ? [deep] : { deep };
  return {
    message: 'nul \0, half a pair \ud800, 🛒',
    attrs: {
      'http.status': 500,
      $set: 1,
      '': 'empty',
      'a\0b': 2,
      __proto__x: null,
      big: 2 ** 53,
      nested: [{ 'x.y': [{ $z: 1 }] }],
    },
    ...JSON.parse('{"__proto__": {"a": 1}, "constructor": 1}'),
    contexts: { deep, lists: [[1, [2]], []] },
  };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    for (const member of Object.values(value)) frozen(member);
    Object.freeze(value);
  }
  return value;
}
