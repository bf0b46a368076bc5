/** Spans as the engine writes them, with their ids made here (`docs/guide/traces.md`). */
import type { Ids } from './ids';
import type { Trace } from './items';

/** A span that begins a trace. */
export function rootSpan(ids: Ids): Trace {
  return { trace_id: ids.trace(), span_id: ids.span() };
}

/** A span inside `parent`. */
export function childSpan(ids: Ids, parent: Trace): Trace {
  const child: Trace = { trace_id: parent.trace_id, span_id: ids.span(), parent: parent.span_id };
  if (parent.sampled !== undefined) child.sampled = parent.sampled;
  return child;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** The span of a `traceparent` header (W3C Trace Context), from a server or a deep link. Undefined if it is invalid. */
export function fromTraceparent(header: unknown): Trace | undefined {
  if (typeof header !== 'string' || header.length > 512) return undefined;
  const parts = TRACEPARENT.exec(header.trim());
  const [, trace_id = '', span_id = '', flags = ''] = parts ?? [];
  if (/^0*$/.test(trace_id) || /^0*$/.test(span_id)) return undefined;
  return { trace_id, span_id, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The `traceparent` header that continues a span. */
export function traceparent({ trace_id, span_id, sampled }: Trace): string {
  return `00-${trace_id}-${span_id}-${sampled === false ? '00' : '01'}`;
}
