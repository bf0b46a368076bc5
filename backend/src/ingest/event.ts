/** Checks one event of a batch and makes the row of it that a sink stores. */
import { type Batch, isCount, isObject, type Json } from './batch';
import { isKind, type Kind } from './kinds';
import { MAX_AGE_MS, MAX_DEPTH, MAX_EVENT_BYTES } from './limits';
import { sizeOf, TOO_DEEP } from './size';
import { corrected, readTime, type Times } from './time';

/** A valid event, as a sink gets it. */
export interface Row {
  readonly project: string;
  /** UUID of version 7, in lower case: made once when the event was recorded. */
  readonly id: string;
  readonly kind: Kind;
  /** Order of the events of an installation. */
  readonly seq: number;
  readonly install: string;
  readonly epoch: number;
  readonly batch_id: string;
  /** When it happened by the clock of the device, as it was sent. */
  readonly ts: string;
  /** When it happened by the clock of this server. */
  readonly corrected_at: Date;
  readonly received_at: Date;
  readonly boot?: string;
  /** Milliseconds since the boot of the device; negative for an event from before it. */
  readonly mono_ms?: number;
  readonly sdk: Json;
  /** App, release and device of the run that recorded it. */
  readonly resource: Json;
  /** The other members of the event, as they were sent. */
  readonly fields: Json;
}

/** Why an event is refused for good. */
export interface Rejection {
  readonly index: number;
  /** Empty if it has none. */
  readonly id: string;
  readonly code: 'missing_field' | 'invalid_field' | 'too_large' | 'too_old' | 'refused';
  /** Empty if no single field is to blame. */
  readonly field: string;
  readonly message: string;
}

const UUID_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const DAY_MS = 24 * 3600 * 1000;

/** Checks an event. */
export function readEvent(index: number, event: unknown, project: string, batch: Batch, times: Times): Row | Rejection {
  const given = isObject(event) && typeof event.id === 'string' ? event.id : '';
  const reject = (code: Rejection['code'], field: string, message: string): Rejection => ({
    index,
    // What it sent as an id is not repeated at any length.
    id: given.slice(0, 64),
    code,
    field,
    message,
  });
  const invalid = (field: string, message: string) => reject('invalid_field', field, message);
  if (!isObject(event)) return invalid('', 'an event must be an object');
  const bytes = sizeOf(event);
  if (bytes === TOO_DEEP) return invalid('', `the event is nested deeper than ${MAX_DEPTH} levels`);
  if (bytes > MAX_EVENT_BYTES) return reject('too_large', '', `the event has more than ${MAX_EVENT_BYTES} bytes`);
  for (const field of ['id', 'seq', 'kind', 'ts']) {
    if (!Object.hasOwn(event, field)) return reject('missing_field', field, `\`${field}\` is missing`);
  }
  const { id, seq, kind, ts, boot, mono_ms, resource, ...fields } = event;
  const lower = given.toLowerCase();
  if (typeof id !== 'string' || !UUID_7.test(lower)) return invalid('id', 'not a UUID of version 7');
  if (!isCount(seq)) return invalid('seq', 'not an integer from 0 to 2^53 - 1');
  if (!isKind(kind)) return invalid('kind', 'unknown kind');
  const tsMs = readTime(ts);
  if (tsMs === undefined) return invalid('ts', 'not an RFC 3339 time with an offset');
  if (boot != null && typeof boot !== 'string') return invalid('boot', 'not a text');
  // An event can be older than the boot of its device: then it is negative.
  if (mono_ms != null && !Number.isSafeInteger(mono_ms)) return invalid('mono_ms', 'not an integer of milliseconds');
  const monoMs = boot == null || boot === batch.boot ? (mono_ms ?? undefined) : undefined;
  const at = corrected(tsMs, monoMs as number | undefined, times);
  const age = times.receivedMs - at;
  if (age > MAX_AGE_MS) {
    const days = (ms: number) => Math.floor(ms / DAY_MS);
    return reject('too_old', 'ts', `the event is ${days(age)} days old; the maximum is ${days(MAX_AGE_MS)}`);
  }
  return {
    project,
    id: lower,
    kind,
    seq,
    install: batch.install,
    epoch: batch.epoch,
    batch_id: batch.batch_id,
    ts: ts as string,
    corrected_at: new Date(at),
    received_at: new Date(times.receivedMs),
    ...(boot != null && { boot }),
    ...(mono_ms != null && { mono_ms: mono_ms as number }),
    sdk: batch.sdk,
    resource: isObject(resource) ? resource : batch.resource,
    fields,
  };
}
