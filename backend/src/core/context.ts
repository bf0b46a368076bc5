/** The request that is being answered, and the trace it belongs to, for everything that is recorded on its way. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Trace, User } from '../../../react-native/src/core/items';
import { shared } from './shared';

/** What is known of the request in whose answer the code runs. */
export interface RequestContext {
  /** The span of the request. */
  trace?: Trace;
  /** Who asks, for the rows of this request alone. Read at each of them. */
  readonly user?: User | undefined;
}

interface State {
  requests: AsyncLocalStorage<RequestContext | undefined>;
  /** The span that another tracer has active: OpenTelemetry. */
  active: () => Trace | undefined;
}

const state = () => shared<State>('context', () => ({ requests: new AsyncLocalStorage(), active: () => undefined }));

/** The context of the request that is being answered. */
export function requestContext(): RequestContext | undefined {
  return state().requests.getStore();
}

/** Runs `work` as a part of the answer to a request. Undefined: of none, also where the connection is that of a request. */
export function inRequest<T>(context: RequestContext | undefined, work: () => T): T {
  return state().requests.run(context, work);
}

/** The rest of the present asynchronous call chain belongs to a request: for channels, which cannot wrap what follows. */
export function enterRequest(context: RequestContext): void {
  state().requests.enterWith(context);
}

/** The span that is active: OpenTelemetry's, else that of the request. */
export function activeTrace(): Trace | undefined {
  return tracerSpan() ?? requestContext()?.trace;
}

/** The span that another tracer has active: that tracer continues traces in outgoing calls itself. */
export function tracerSpan(): Trace | undefined {
  return state().active();
}

/** Says which span another tracer has active. */
export function setActiveTrace(active: () => Trace | undefined): void {
  state().active = active;
}
