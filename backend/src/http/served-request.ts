/** A request that is being answered: the context of everything that is recorded on its way. */
import type { EventEmitter } from 'node:events';
import type { Trace, User } from '../../../react-native/src/core/items';
import { fromTraceparent } from '../../../react-native/src/core/trace';
import { inRequest, type RequestContext } from '../core/context';
import { spanBelow } from '../core/span';
import type { RequestLike } from './express';
import { userOf } from './request-user';

/** A request that is being answered. Most of them need no trace, so it is made when it is asked for. */
export class ServedRequest implements RequestContext {
  readonly began = performance.now();
  /** Weak, because timers and connections that begin in a request hold its context for long. */
  private readonly request: WeakRef<RequestLike>;
  private readonly traceparent: unknown;
  private readonly sentryTrace: unknown;
  private made: Trace | undefined;

  constructor(request: RequestLike) {
    this.request = new WeakRef(request);
    this.traceparent = request.headers?.traceparent;
    this.sentryTrace = request.headers?.['sentry-trace'];
  }

  /** Who asks. It is read when something is recorded, because the app finds it on the way of the request. */
  get user(): User | undefined {
    return userOf(this.request.deref());
  }

  /** The span of the request: it continues the trace of the caller, or begins one. */
  get trace(): Trace {
    this.made ??= spanBelow(fromTraceparent(this.traceparent) ?? fromSentryTrace(this.sentryTrace));
    return this.made;
  }

  set trace(trace: Trace) {
    this.made = trace;
  }
}

/**
 * Emits what comes of a request in its context. Node.js emits a part of a body that arrives later in the context of the connection, which
 * has none, and so a parser of uploads would call the next handler.
 */
export function bindEvents(request: RequestLike, context: RequestContext): void {
  const emitter = request as Partial<EventEmitter>;
  const { emit } = emitter;
  if (typeof emit !== 'function') return;
  emitter.emit = (...event) => inRequest(context, () => emit.apply(request, event));
}

/** Whether a request over HTTP/1 has a body. Of the others nothing is emitted later, and most requests are such. */
export function hasBody({ headers }: RequestLike): boolean {
  return headers?.['content-length'] !== undefined || headers?.['transfer-encoding'] !== undefined;
}

const SENTRY_TRACE = /^([0-9a-f]{32})-([0-9a-f]{16})(?:-([01]))?$/;

/** The span of a `sentry-trace` header, which Sentry's SDKs send: `<trace>-<span>-<sampled>`. Undefined if it is invalid. */
export function fromSentryTrace(header: unknown): Trace | undefined {
  if (typeof header !== 'string' || header.length > 64) return undefined;
  const [, trace_id = '', span_id = '', sampled] = SENTRY_TRACE.exec(header) ?? [];
  if (/^0*$/.test(trace_id) || /^0*$/.test(span_id)) return undefined;
  return { trace_id, span_id, ...(sampled !== undefined && { sampled: sampled === '1' }) };
}
