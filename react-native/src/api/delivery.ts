/** Consent, delivery, and what the engine knows about an event. */
import { carrier, client } from '../core/carrier';
import type { Consent, FlushResult, LogLine, Purpose } from '../core/client';
import { guarded } from '../core/guard';
import { describe } from '../core/json';

/** How long a call waits unless it says so, in milliseconds. */
const WAIT_MS = 5_000;

/**
 * Stores the user's decision about a purpose. `denied` erases what was recorded for it; when both are denied, the user too. Before
 * `init`, the decision waits for it.
 */
export function setConsent(purpose: Purpose, consent: Consent): boolean {
  return guarded(false, () => {
    const stored = client().setConsent(purpose, consent);
    if (client().deniesAll) carrier().user = undefined;
    return stored;
  });
}

/**
 * Erases everything recorded so far, and begins as a new installation. Before `init`, what waits in memory is erased at once, and what is
 * stored when `init` opens the engine.
 */
export function forgetUser(): boolean {
  return guarded(false, () => {
    carrier().user = undefined;
    return client().forgetUser();
  });
}

/**
 * Sends what waits. Resolves to what was delivered to each destination, what is left, and why. Never rejects.
 *
 * The engine sends by itself; call this at a moment of your choice. It passes over a wait of ours at most once in 5 s.
 */
export function flush(timeoutMs = WAIT_MS): Promise<FlushResult> {
  return client().flush(timeoutMs);
}

/** Resolves when everything recorded so far is on the disk: to an empty text, or to what is wrong. */
export function persist(timeoutMs = WAIT_MS): Promise<string> {
  return client().persist(timeoutMs);
}

/** What became of an event: where it was sent, where it waits and why, or why it was dropped. */
export function why(id: string, timeoutMs = WAIT_MS): Promise<Record<string, unknown>> {
  return client().why(describe(id), timeoutMs);
}

/** The state of the engine: as `rezq status --json` prints it, and in sentences. Undefined without an engine. */
export function status(): { status: Record<string, unknown>; lines: string[] } | undefined {
  return guarded(undefined, () => client().status());
}

/**
 * The support code of the current session: six characters for the user to read to a tester or to support. It is the end of the
 * session's id. Undefined without a session.
 */
export function supportCode(): string | undefined {
  const code = status()?.status.support_code;
  return typeof code === 'string' ? code : undefined;
}

/** What the engine has to say to a developer since the last call. */
export function takeLog(): LogLine[] {
  return guarded([], () => client().takeLog());
}

/** Sets release and build of later events, after an update over the air. Returns an empty text, or what is wrong. */
export function setRelease(release: string, dist?: string): string {
  return client().setRelease(describe(release), dist === undefined ? '' : describe(dist));
}

/** Stops sending to a destination, also over restarts. What is recorded meanwhile is never sent there. */
export function pauseDestination(name: string): string {
  return client().pauseDestination(describe(name));
}

export function resumeDestination(name: string): string {
  return client().resumeDestination(describe(name));
}

export function removeDestination(name: string): string {
  return client().removeDestination(describe(name));
}
