/** Durations: screen loads, API calls, image loads, spans. They are measured here and cross to the engine once, at their end. */
import { carrier, client } from '../core/carrier';
import type { Elapsed, Stopwatch } from '../core/clock';
import type { Attributes, Trace } from '../core/items';
import { describe } from '../core/json';
import { isTracingTarget } from '../core/targets';
import { childSpan, rootSpan, traceparent } from '../core/trace';

function measured({ us, gapMs }: Elapsed, attributes: Attributes | undefined) {
  const attrs = gapMs === undefined ? attributes : { ...attributes, clock_gap_ms: gapMs };
  return { duration_us: us, ...(attrs && { attrs }) };
}

/** A screen load in progress. A second end is ignored. */
export class ScreenLoad {
  readonly trace: Trace;
  private readonly watch: Stopwatch;
  private readonly view: string;
  private initialUs: number | undefined;
  private fullUs: number | undefined;
  private ended = false;

  /** Begins it: the screen of later events. */
  constructor(private readonly name: string) {
    const { ids, clock } = client();
    this.watch = client().stopwatch();
    this.trace = rootSpan(ids);
    this.view = ids.event(clock.wallMs());
    client().scope({ scope: 'screen', name, view: this.view, trace: this.trace, at_ms: this.watch.startMs });
    carrier().screen = this.trace;
  }

  /** The first content is visible. */
  initialDisplay(): void {
    this.initialUs ??= this.watch.elapsed().us;
  }

  /** Everything is visible. */
  fullDisplay(): void {
    this.fullUs ??= this.watch.elapsed().us;
  }

  /** Ends it. Returns its duration in milliseconds. */
  finish(attributes?: Attributes): number {
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
  }

  /** The screen does not finish. */
  cancel(): void {
    if (this.end()) client().scope({ scope: 'screen_cancelled', view: this.view });
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
  return new ScreenLoad(describe(name));
}

/** The span of something that happens now: inside `parent`, or inside the screen that loads. */
export function newSpan(parent: Trace | undefined = carrier().screen): Trace {
  const { ids } = client();
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

  constructor(
    private readonly method: string,
    private readonly url: string,
    parent?: Trace,
  ) {
    this.trace = newSpan(parent);
    this.watch = client().stopwatch();
  }

  /** The headers that continue the trace on the server; none for a host that is no trace target. */
  headers(): Record<string, string> {
    const headers = client().traceHeaders(this.trace, this.url);
    // The engine knows hosts only, and those that were there when it was opened.
    if (Object.keys(headers).length > 0 || !client().opened || !isTracingTarget(this.url)) return headers;
    return { traceparent: traceparent(this.trace) };
  }

  /** Ends it. Returns its duration in milliseconds. */
  finish(result: ApiResult = {}): number {
    const elapsed = this.watch.elapsed();
    if (!this.ended) {
      this.ended = true;
      const { status, error, requestBytes, responseBytes, endpoint, requestHeaders, responseHeaders } = result;
      client().record({
        kind: 'api_call',
        method: this.method,
        url: this.url,
        trace: this.trace,
        start_ms: this.watch.startMs,
        ...(status !== undefined && { status }),
        ...(error !== undefined && { error }),
        ...(requestBytes !== undefined && { request_bytes: requestBytes }),
        ...(responseBytes !== undefined && { response_bytes: responseBytes }),
        ...(endpoint !== undefined && { endpoint }),
        ...(requestHeaders && { request_headers: requestHeaders }),
        ...(responseHeaders && { response_headers: responseHeaders }),
        ...measured(elapsed, result.attributes),
      });
    }
    return elapsed.us / 1_000;
  }

  /** Ends it without a response. */
  fail(error: unknown): number {
    return this.finish({ error: describe(error) });
  }
}

/** Begins an API call. `parent`: the span it lies in; default: the screen that loads. */
export function trackAPICall(method: string, url: string, parent?: Trace): ApiCall {
  return new ApiCall(describe(method), describe(url), parent);
}

/** Records an image load of `durationMs` milliseconds. */
export function trackImageLoad(
  url: string,
  durationMs: number,
  options: { responseBytes?: number; attributes?: Attributes } = {},
): string {
  return client().record({
    kind: 'image_load',
    url: describe(url),
    trace: newSpan(),
    duration_us: Math.max(Math.round(durationMs * 1_000), 0),
    ...(options.responseBytes !== undefined && { response_bytes: options.responseBytes }),
    ...(options.attributes && { attrs: options.attributes }),
  });
}

/** A span of the app's own, in progress. A second end is ignored. */
export class Span {
  readonly trace: Trace;
  private readonly watch: Stopwatch;
  private readonly attributes: Record<string, unknown> = {};
  private ended = false;

  constructor(
    private readonly name: string,
    private readonly op: string | undefined,
    parent?: Trace,
  ) {
    this.trace = parent ? childSpan(client().ids, parent) : rootSpan(client().ids);
    this.watch = client().stopwatch();
    client().scope({ scope: 'span', trace: this.trace });
  }

  /** A span inside this one. */
  startSpan(name: string, op?: string): Span {
    return new Span(describe(name), op, this.trace);
  }

  setAttribute(name: string, value: unknown): this {
    this.attributes[describe(name)] = value;
    return this;
  }

  /** Ends it. Returns its duration in milliseconds. */
  finish(status: 'ok' | 'error' | 'cancelled' = 'ok'): number {
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
  }
}

/** Begins a span. `parent`: the span it lies in; default: none, so that it begins a trace of its own. */
export function startSpan(name: string, op?: string, parent?: Trace): Span {
  return new Span(describe(name), op, parent);
}
