/** Rows of what was slow or failed: spans below the request in whose answer they happened. */
import type { Attributes, Trace } from '../../../react-native/src/core/items';
import { childSpan, rootSpan } from '../../../react-native/src/core/trace';
import { record } from './capture';
import { activeTrace } from './context';
import { ids } from './monitor';

/** A new span below `parent`. Without a parent it begins a trace. */
export function spanBelow(parent: Trace | undefined): Trace {
  return parent ? childSpan(ids(), parent) : rootSpan(ids());
}

/** What is known of work that has ended. */
export interface Ended {
  /** Of few different values: no ids, no values of the user. */
  name: string;
  op: string;
  durationMs: number;
  failed: boolean;
  /** What was active when the work began. Default: what is active now. */
  parent?: Trace | undefined;
  attrs: Attributes;
}

/** Records work that has ended, and returns the id of the row. */
export function recordSpan({ name, op, durationMs, failed, parent = activeTrace(), attrs }: Ended): string {
  return record({
    kind: 'span',
    name,
    op,
    duration_us: microseconds(durationMs),
    status: failed ? 'error' : 'ok',
    trace: spanBelow(parent),
    attrs,
  });
}

/** Whole microseconds of a duration in milliseconds. */
export function microseconds(durationMs: number): number {
  return Math.round(durationMs * 1_000);
}

/** What an error is, without its message, which may hold values of the user: `MongoServerError 11000`, `ECONNREFUSED`. */
export function errorKind(error: unknown): string {
  const { name, code } = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
  };
  const known = [name === 'Error' ? undefined : name, code].filter(
    (part) => typeof part === 'string' || typeof part === 'number',
  );
  return known.join(' ').slice(0, 100) || 'Error';
}
