/** How the run before this one ended. */
import { client } from '../core/carrier';
import type { LastCrash } from '../core/client';

/** How long a call waits unless it says so, in milliseconds. */
const WAIT_MS = 5_000;

/**
 * Whether the run before this one crashed, whatever reported it: an error of JavaScript, an exception or a signal of native code, or the
 * system. A run that the system ended has not crashed. A reload of JavaScript is no run.
 *
 * Resolves to null if it is not known: there was no run before, `init` has not opened the engine, or `timeoutMs` is too short. Never
 * rejects.
 */
export async function crashedLastRun(timeoutMs = WAIT_MS): Promise<boolean | null> {
  const last = await client().lastRun(timeoutMs);
  return last === null ? null : last.ended === 'crashed';
}

/**
 * The crash of the run before this one, to tell the user or to start in a safe mode. Null if it has not crashed or that is not known. The event
 * itself is in the queue and is sent without this call.
 *
 * ```
 * const crash = await lastCrash();
 * if (crash) (crash.sinceStartMs ?? Infinity) < 5_000 ? startInSafeMode() : saySorry(crash.supportCode);
 * ```
 */
export async function lastCrash(timeoutMs = WAIT_MS): Promise<LastCrash | null> {
  return (await client().lastRun(timeoutMs))?.crash ?? null;
}
