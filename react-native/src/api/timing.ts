/** Durations: screen loads, API calls, image loads, spans. They are measured here and cross to the engine once, at their end. */
import { carrier, client } from '../core/carrier';
import { type Elapsed, Stopwatch } from '../core/clock';
import { guarded, isRecord, quietly } from '../core/guard';
import type { Attributes, Trace } from '../core/items';
import { describe } from '../core/json';
import { read, readText } from '../core/read';
import { isTracingTarget } from '../core/targets';
import { childSpan, rootSpan, traceparent } from '../core/trace';
import { members } from './members';

function measured({ us, gapMs }: Elapsed, attributes: Attributes | undefined) {
  const given = isRecord(attributes) ? attributes : undefined;
  if (gapMs === undefined) return { duration_us: us, ...(given && { attrs: given }) };
  const gap = { clock_gap_ms: gapMs };
  return { duration_us: us, attrs: guarded<Attributes>(gap, () => ({ ...given, ...gap })) };
}

/** A span that the app passes, copied. Undefined if it is none. */
function traceOf(given: unknown): Trace | undefined {
  const trace_id = readText(given, 'trace_id');
  const span_id = readText(given, 'span_id');
  if (trace_id === '' || span_id === '') return undefined;
  const sampled = read(given, 'sampled');
  return { trace_id, span_id, ...(typeof sampled === 'boolean' && { sampled }) };
}

/** A screen load in progress. A second end is ignored. */
export class ScreenLoad {
  readonly trace: Trace;
  private readonly watch: Stopwatch;
  private readonly view: string;
  private initialUs: number | undefined;
  private fullUs: number | undefined;
  private ended = false;

  private readonly name: string;

  /** Begins it: the screen of later events. `watch`: it began earlier, when this was started. */
  constructor(name: string, watch?: Stopwatch) {
    const { ids, clock } = client();
    this.name = describe(name);
    this.watch = guarded(false, () => watch instanceof Stopwatch) ? (watch as Stopwatch) : client().stopwatch();
    this.trace = rootSpan(ids);
    this.view = ids.event(clock.wallMs());
    client().scope({ scope: 'screen', name: this.name, view: this.view, trace: this.trace, at_ms: this.watch.startMs });
    carrier().screen = this.trace;
  }

  /** The first content is visible. */
  initialDisplay(): void {
    quietly(() => {
      this.initialUs ??= this.watch.elapsed().us;
    });
  }

  /** Everything is visible. */
  fullDisplay(): void {
    quietly(() => {
      this.fullUs ??= this.watch.elapsed().us;
    });
  }

  /** Ends it. Returns its duration in milliseconds. */
  finish(attributes?: Attributes): number {
    return guarded(0, () => {
      const elapsed = this.watch.elapsed();
      if (this.end()) {
        client().record({
          kind: 'screen_load',
          name: this.name,
          view: this.view,
          trace: this.trace,
          start_ms: this.watch.startMs,
          ...(this.initialUs !== undefined && { initial_us: this.initialUs }),
          ...(this.fullUs !== undefined && { full_us: this.fullUs }),
          ...measured(elapsed, attributes),
        });
      }
      return elapsed.us / 1_000;
    });
  }

  /** The screen does not finish. */
  cancel(): void {
    quietly(() => {
      if (this.end()) client().scope({ scope: 'screen_cancelled', view: this.view });
    });
  }

  private end(): boolean {
    if (this.ended) return false;
    this.ended = true;
    if (carrier().screen === this.trace) carrier().screen = undefined;
    return true;
  }
}

/** Begins a screen load. Calls, images and spans until its end are its children. */
export function trackScreenLoad(name: string): ScreenLoad {
  return new ScreenLoad(name);
}

/** The span of something that happens now: inside `parent`, or inside the screen that loads. */
export function newSpan(around?: Trace): Trace {
  const { ids } = client();
  const parent = traceOf(around) ?? carrier().screen;
  return parent ? childSpan(ids, parent) : rootSpan(ids);
}

/** What is known about an API call at its end. */
export interface ApiResult {
  status?: number;
  /** Why there is no response. */
  error?: string;
  requestBytes?: number;
  responseBytes?: number;
  /** The name under which calls are grouped. Default: the path with its ids replaced. */
  endpoint?: string;
  requestHeaders?: Readonly<Record<string, string>>;
  responseHeaders?: Readonly<Record<string, string>>;
  attributes?: Attributes;
}

/** An API call in progress. A second end is ignored. */
export class ApiCall {
  readonly trace: Trace;
  private readonly watch: Stopwatch;
  private ended = false;

  private readonly method: string;
  private readonly url: string;

  constructor(method: string, url: string, parent?: Trace) {
    this.method = describe(method);
    this.url = describe(url);
    this.trace = newSpan(parent);
    this.watch = client().stopwatch();
  }

  /** The headers that continue the trace on the server; none for a host that is no trace target. */
  headers(): Record<string, string> {
    return guarded({}, () => {
      const headers = client().traceHeaders(this.trace, this.url);
      // The engine knows hosts only, and those that were there when it was opened.
      if (Object.keys(headers).length > 0 || !client().opened || !isTracingTarget(this.url)) return headers;
      return { traceparent: traceparent(this.trace) };
    });
  }

  /** Ends it. Returns its duration in milliseconds. */
  finish(result: ApiResult = {}): number {
    return guarded(0, () => {
      const elapsed = this.watch.elapsed();
      if (!this.ended) {
        this.ended = true;
        const { requestBytes, responseBytes } = members(result, 'requestBytes', 'responseBytes');
        const { requestHeaders, responseHeaders } = members(result, 'requestHeaders', 'responseHeaders');
        client().record({
          kind: 'api_call',
          method: this.method,
          url: this.url,
          trace: this.trace,
          start_ms: this.watch.startMs,
          ...members(result, 'status', 'error', 'endpoint'),
          ...(requestBytes !== undefined && { request_bytes: requestBytes }),
          ...(responseBytes !== undefined && { response_bytes: responseBytes }),
          ...(requestHeaders && { request_headers: requestHeaders }),
          ...(responseHeaders && { response_headers: responseHeaders }),
          ...measured(elapsed, members(result, 'attributes').attributes),
        });
      }
      return elapsed.us / 1_000;
    });
  }

  /** Ends it without a response. */
  fail(error: unknown): number {
    return guarded(0, () => this.finish({ error: describe(error) }));
  }
}

/** Begins an API call. `parent`: the span it lies in; default: the screen that loads. */
export function trackAPICall(method: string, url: string, parent?: Trace): ApiCall {
  return new ApiCall(method, url, parent);
}

/** Records an image load of `durationMs` milliseconds. */
export function trackImageLoad(
  url: string,
  durationMs: number,
  options: { responseBytes?: number; attributes?: Attributes } = {},
): string {
  return guarded('', () => {
    const { responseBytes, attributes } = members(options, 'responseBytes', 'attributes');
    return client().record({
      kind: 'image_load',
      url: describe(url),
      trace: newSpan(),
      duration_us: Math.max(Math.round(durationMs * 1_000), 0),
      ...(responseBytes !== undefined && { response_bytes: responseBytes }),
      ...(attributes && { attrs: attributes }),
    });
  });
}

/** A span of the app's own, in progress. A second end is ignored. */
export class Span {
  readonly trace: Trace;
  private readonly watch: Stopwatch;
  private readonly attributes: Record<string, unknown> = {};
  private ended = false;

  private readonly name: string;
  private readonly op: string | undefined;

  constructor(name: string, op?: string, around?: Trace) {
    this.name = describe(name);
    this.op = op == null ? undefined : describe(op);
    const parent = traceOf(around);
    this.trace = parent ? childSpan(client().ids, parent) : rootSpan(client().ids);
    this.watch = client().stopwatch();
    client().scope({ scope: 'span', trace: this.trace });
  }

  /** A span inside this one. */
  startSpan(name: string, op?: string): Span {
    return new Span(
      name,
      op,
      guarded(undefined, () => this.trace),
    );
  }

  setAttribute(name: string, value: unknown): this {
    quietly(() => {
      this.attributes[describe(name)] = value;
    });
    return this;
  }

  /** Ends it. Returns its duration in milliseconds. */
  finish(status: 'ok' | 'error' | 'cancelled' = 'ok'): number {
    return guarded(0, () => {
      const elapsed = this.watch.elapsed();
      if (!this.ended) {
        this.ended = true;
        client().record({
          kind: 'span',
          name: this.name,
          trace: this.trace,
          start_ms: this.watch.startMs,
          status,
          ...(this.op !== undefined && { op: this.op }),
          ...measured(elapsed, { ...this.attributes }),
        });
      }
      return elapsed.us / 1_000;
    });
  }
}

/** Begins a span. `parent`: the span it lies in; default: none, so that it begins a trace of its own. */
export function startSpan(name: string, op?: string, parent?: Trace): Span {
  return new Span(name, op, parent);
}
