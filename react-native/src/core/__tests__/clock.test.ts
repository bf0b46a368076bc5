import { manualClock } from '../../testing/recording-port';
import { Stopwatch, timeMs } from '../clock';

test('a duration comes from the clock that is never set back', () => {
  const clock = manualClock();
  const watch = new Stopwatch(clock);
  clock.advance(250);
  expect(watch.elapsed()).toEqual({ us: 250_000 });
});

test('clocks that disagree mark the duration', () => {
  const clock = manualClock();
  const watch = new Stopwatch(clock);
  clock.advance(100);
  clock.wall += 3_600_000; // The device slept for an hour, or somebody set the time.
  expect(watch.elapsed()).toEqual({ us: 100_000, gapMs: 3_600_000 });
  clock.wall -= 7_200_000;
  expect(watch.elapsed()).toEqual({ us: 100_000, gapMs: -3_600_000 });
});

test('a monotonic clock that goes back gives no negative duration', () => {
  const clock = manualClock();
  const watch = new Stopwatch(clock);
  clock.mono -= 500;
  expect(watch.elapsed().us).toBe(0);
});

test.each([
  [1_795_400_000, 1_795_400_000_000],
  [1_795_400_000.25, 1_795_400_000_250],
  [1_795_400_000_250, 1_795_400_000_250],
  [new Date(1_795_400_000_000), 1_795_400_000_000],
  ['2026-11-23T03:33:20.000Z', Date.UTC(2026, 10, 23, 3, 33, 20)],
])('the time %p is read', (time, ms) => {
  expect(timeMs(time)).toBe(ms);
});

test.each([undefined, null, Number.NaN, 'soon', {}, new Date(Number.NaN), Number.POSITIVE_INFINITY])(
  'the time %p is none',
  (time) => {
    expect(timeMs(time)).toBeUndefined();
  },
);
