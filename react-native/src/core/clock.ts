/** The two clocks of an app: when something happened, and how long it took. */

/** A clock that a test can replace. */
export interface Clock {
  /**
   * Milliseconds since 1970. `performance.timeOrigin + performance.now()` is not used: it falls behind by the time that the device
   * sleeps.
   */
  wallMs(): number;
  /** Milliseconds since some moment, never set back. May stop while the device sleeps. */
  monoMs(): number;
}

/** The clocks of the platform. Looked up at each call, because tests and polyfills replace them. */
export const platformClock: Clock = {
  wallMs: () => Date.now(),
  monoMs: () => {
    const { performance } = globalThis as { performance?: { now?: () => number } };
    return performance?.now?.() ?? Date.now();
  },
};

/** Clocks that differ by more than this have not both run: the device slept, or somebody set the time. */
const GAP_MS = 1_000;

/** A measured duration. */
export interface Elapsed {
  /** Microseconds, from the clock that is never set back. */
  us: number;
  /** By how many milliseconds the wall clock disagrees; absent below one second. Recorded as the attribute `clock_gap_ms`. */
  gapMs?: number;
}

/** Measures from now on. */
export class Stopwatch {
  readonly startMs: number;
  private readonly mono: number;

  constructor(private readonly clock: Clock) {
    this.startMs = clock.wallMs();
    this.mono = clock.monoMs();
  }

  elapsed(): Elapsed {
    const mono = Math.max(this.clock.monoMs() - this.mono, 0);
    const gap = Math.round(this.clock.wallMs() - this.startMs - mono);
    const us = Math.round(mono * 1_000);
    return Math.abs(gap) > GAP_MS ? { us, gapMs: gap } : { us };
  }
}

/**
 * A time that an app passes, in milliseconds since 1970: a `Date`, an ISO text, seconds or milliseconds. Undefined if it is none of
 * them. Numbers below 10^11 are seconds: as milliseconds they would be before March 1973, as seconds the rest is after the year 5138.
 */
export function timeMs(time: unknown): number | undefined {
  let ms = Number.NaN;
  if (typeof time === 'number') ms = Math.abs(time) < 1e11 ? time * 1_000 : time;
  else if (time instanceof Date) ms = time.getTime();
  else if (typeof time === 'string') ms = Date.parse(time);
  return Number.isFinite(ms) ? Math.round(ms) : undefined;
}
