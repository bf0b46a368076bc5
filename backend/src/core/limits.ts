/** From which duration on something is slow, and how long a check may take. `init({ limits })` replaces each of them. */
import { shared } from './shared';

/** Durations in milliseconds. */
export interface Limits {
  /** A request that takes longer is logged and becomes a row. Default: 1000, as in the guide. */
  slowRequestMs: number;
  /** An outgoing call whose answer takes longer to begin becomes a row. Default: 1000. */
  slowCallMs: number;
  /** A command to MongoDB that takes longer is logged and becomes a row. Default: 100, as in the guide. */
  slowQueryMs: number;
  /** A command to Redis that takes longer becomes a row. Default: 100. */
  slowRedisMs: number;
  /** A call of `profileQuery` that takes longer is logged. Default: 500, as in the guide. */
  slowProfileMs: number;
  /** How long a health check may take. Default: 1000. */
  checkMs: number;
}

const DEFAULTS: Readonly<Limits> = {
  slowRequestMs: 1_000,
  slowCallMs: 1_000,
  slowQueryMs: 100,
  slowRedisMs: 100,
  slowProfileMs: 500,
  checkMs: 1_000,
};

/** The limits of the process. */
export function limits(): Readonly<Limits> {
  return shared<Limits>('limits', () => ({ ...DEFAULTS }));
}

/** The longest time that a timer of Node.js takes: it makes one millisecond of a longer one. */
const LONGEST_MS = 2 ** 31 - 1;

/** A time in milliseconds that an app has given. `otherwise`: it has given none, or what is no number from 0 on. */
export function durationOf(given: unknown, otherwise: number): number {
  return Math.min(typeof given === 'number' && given >= 0 ? given : otherwise, LONGEST_MS);
}

/**
 * Replaces limits; what is null is left out. A value that is no number from 0 on is ignored. Returns the names of those, empty if there is
 * none.
 */
export function setLimits(given: Partial<Limits>): string[] {
  const known = limits() as Limits;
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(given) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    if (!Object.hasOwn(DEFAULTS, name) || typeof value !== 'number' || !(value >= 0)) wrong.push(name);
    else known[name as keyof Limits] = value;
  }
  return wrong;
}
