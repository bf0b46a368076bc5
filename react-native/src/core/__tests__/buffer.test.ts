import { manualClock } from '../../testing/recording-port';
import { Buffer, waiting } from '../buffer';

function buffer() {
  const clock = manualClock();
  const sent: { v: number; items: Record<string, unknown>[] }[] = [];
  const ticks: (() => void)[] = [];
  const made = new Buffer({
    send: (document) => sent.push(JSON.parse(document)) > 0,
    schedule: (run) => ticks.push(run),
    nowMs: () => clock.wallMs(),
  });
  return {
    made,
    clock,
    sent,
    tick: () => {
      for (const run of ticks.splice(0)) run();
    },
    ticks,
  };
}

test('the items of a tick are one document, in their order', () => {
  const { made, sent, tick, ticks } = buffer();
  made.release();
  for (let at = 0; at < 5; at++) made.add(`{"at":${at}}`, true);
  expect(ticks).toHaveLength(1);
  tick();
  expect(sent).toEqual([{ v: 1, items: [0, 1, 2, 3, 4].map((at) => ({ at })) }]);
});

test('what fills a document leaves within the tick', () => {
  const { made, sent } = buffer();
  made.release();
  for (let at = 0; at < 3; at++) made.add(`{"text":"${'x'.repeat(10_000)}"}`, true);
  expect(sent.map((document) => document.items.length)).toEqual([2, 1]);
});

test('an item that has waited says when it was recorded, and keeps a time of its own', () => {
  const { made, clock, sent } = buffer();
  made.add('{"a":1}', true);
  made.add('{"a":2,"at_ms":5}', true);
  clock.advance(400);
  made.add('{"a":3}', true);
  made.release();
  const at = clock.wallMs() - 400;
  expect(sent[0]?.items).toEqual([{ a: 1, at_ms: at }, { a: 2, at_ms: 5 }, { a: 3 }]);
});

test('before the engine is open the newest items wait, and what is dropped is counted', () => {
  const { made, sent } = buffer();
  for (let at = 0; at < waiting.items + 50; at++) made.add(`{"at":${at}}`, at % 2 === 0);
  made.drain();
  expect(sent).toEqual([]);
  made.release();
  const items = sent.flatMap((document) => document.items);
  expect(items).toHaveLength(waiting.items);
  expect(items[0]).toEqual({ at: 50 });
  expect(made.dropped).toBe(25);
});

test('before the engine is open memory is bounded', () => {
  const { made, sent } = buffer();
  for (let at = 0; at < 100; at++) made.add(`{"text":"${'x'.repeat(20_000)}"}`, true);
  made.release();
  const size = sent.flatMap((document) => document.items).reduce((sum, item) => sum + String(item.text).length, 0);
  expect(size).toBeLessThanOrEqual(waiting.characters);
  expect(size).toBeGreaterThan(waiting.characters / 2);
});

test('a fatal item is the last of its document, behind all that waits', () => {
  const { made, sent } = buffer();
  made.release();
  for (let at = 0; at < 3; at++) made.add(`{"text":"${'x'.repeat(9_000)}"}`, true);
  const document = JSON.parse(made.documentWith('{"fatal":true}')) as { items: unknown[] };
  expect(document.items.at(-1)).toEqual({ fatal: true });
  expect(sent.flatMap((one) => one.items).length + document.items.length).toBe(4);
});
