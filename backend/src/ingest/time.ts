/** The time of an event by the clock of this server. */
import type { IncomingHttpHeaders } from 'node:http';
import { AGE_UNKNOWN_MS } from './limits';

/** When a request was sent and received, in milliseconds. */
export interface Times {
  /** `X-Rez-Sent-At`, since 1970 by the clock of the device. */
  readonly sentMs?: number | undefined;
  /** `X-Rez-Mono`, since the boot of the device. */
  readonly monoMs?: number | undefined;
  /** Since 1970 by the clock of this server. */
  readonly receivedMs: number;
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970 of an RFC 3339 time with an offset; `undefined` if it is none. */
export function readTime(text: unknown): number | undefined {
  if (typeof text !== 'string' || !RFC_3339.test(text)) return undefined;
  const ms = Date.parse(text.replace(' ', 'T').toUpperCase());
  return Number.isNaN(ms) ? undefined : ms;
}

/** The times of a request. A header that cannot be read counts as missing. */
export function timesOf(headers: IncomingHttpHeaders, receivedMs: number): Times {
  const mono = headers['x-rez-mono'];
  const monoMs = typeof mono === 'string' && /^\d{1,15}$/.test(mono) ? Number(mono) : undefined;
  return { sentMs: readTime(headers['x-rez-sent-at']), monoMs, receivedMs };
}

/**
 * The age of an event is measured by the monotonic clock if the event and the request are of one boot, else by the wall clock of the
 * device. A negative age, or one that no device can have, means a wrong clock: the event is then as old as the request.
 *
 * @param monoMs of the event, if it is of the boot of the request
 */
export function corrected(
  tsMs: number,
  monoMs: number | undefined,
  { sentMs, monoMs: sentMono, receivedMs }: Times,
): number {
  const sameBoot = monoMs !== undefined && sentMono !== undefined && sentMono >= monoMs;
  const age = sameBoot ? sentMono - monoMs : (sentMs ?? receivedMs) - tsMs;
  return age >= 0 && age <= AGE_UNKNOWN_MS ? receivedMs - age : receivedMs;
}
