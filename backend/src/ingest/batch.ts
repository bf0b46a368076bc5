/** The parts of a body that all of its events share. */
import { createHash } from 'node:crypto';
import { Refused } from './answer';
import { MAX_EVENTS, MAX_ID_CHARS, MAX_LOST, MAX_RESOURCE_BYTES, MAX_WORD_CHARS } from './limits';
import { sizeOf } from './size';

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** A cumulative count of events that an installation lost. The largest of each install, epoch, kind and reason is the true one. */
export interface LostTotal {
  readonly project: string;
  readonly install: string;
  readonly epoch: number;
  readonly kind: string;
  readonly reason: string;
  readonly count: number;
}

/** A body, as far as it is not about single events. */
export interface Batch {
  readonly batch_id: string;
  readonly install: string;
  /** Grows when the installation lost its queue. */
  readonly epoch: number;
  /** Empty if the sender knows no run. */
  readonly boot: string;
  readonly sdk: Json;
  readonly resource: Json;
  readonly lost: readonly Omit<LostTotal, 'project' | 'install' | 'epoch'>[];
  readonly events: readonly unknown[];
}

/** Reads a body. Throws {@link Refused} with 400 or 413. Members that it does not know are ignored. */
export function readBatch(body: unknown): Batch {
  if (!isObject(body)) throw unreadable('the body is not an object');
  if (body.v !== 1) throw unreadable('protocol version `v` is not 1, the one that this server supports');
  const { epoch, boot, events } = body;
  if (!isCount(epoch)) throw unreadable('`epoch` is not an integer from 0 to 2^53 - 1');
  if (typeof boot !== 'string' || boot.length > MAX_ID_CHARS) throw unreadable('`boot` is not a text');
  if (!Array.isArray(events)) throw unreadable('`events` is not a list');
  if (events.length > MAX_EVENTS) {
    throw new Refused(413, 'too_many', `the batch has ${events.length} events; the maximum is ${MAX_EVENTS}`);
  }
  return {
    batch_id: identity(body, 'batch_id'),
    install: identity(body, 'install'),
    epoch,
    boot,
    sdk: description(body, 'sdk'),
    resource: description(body, 'resource'),
    lost: losses(body.lost ?? []),
    events,
  };
}

/** A hash of the ids of a batch, in their order. Two requests with the same ids are the same batch. */
export function hashOfIds(events: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const event of events) {
    const id = isObject(event) ? event.id : undefined;
    hash.update(typeof id === 'string' ? `${JSON.stringify(id)}\n` : '?\n');
  }
  return hash.digest('base64');
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is an integer that every JSON parser reads exactly, and not negative. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function identity(body: Json, name: 'batch_id' | 'install'): string {
  const value = body[name];
  if (typeof value === 'string' && value !== '' && value.length <= MAX_ID_CHARS) return value;
  throw unreadable(`\`${name}\` is not a text of 1 to ${MAX_ID_CHARS} characters`);
}

function description(body: Json, name: 'sdk' | 'resource'): Json {
  const value = body[name] ?? {};
  if (isObject(value) && sizeOf(value) <= MAX_RESOURCE_BYTES) return value;
  throw unreadable(`\`${name}\` is not an object of up to ${MAX_RESOURCE_BYTES} bytes`);
}

function losses(lost: unknown): Batch['lost'] {
  if (!Array.isArray(lost) || lost.length > MAX_LOST) throw unreadable(`\`lost\` is not a list of up to ${MAX_LOST}`);
  return lost.map((one: unknown) => {
    const { kind, reason, count } = isObject(one) ? one : ({} as Json);
    if (isWord(kind) && isWord(reason) && isCount(count)) return { kind, reason, count };
    throw unreadable('`lost` has an entry without a valid kind, reason or count');
  });
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_WORD_CHARS && /^[a-z_]+$/.test(value);
}

function unreadable(what: string): Refused {
  return new Refused(400, 'unreadable', `the body is not a batch: ${what}`);
}
