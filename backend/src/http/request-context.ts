/** Opens the context of a request: what is recorded while it is answered belongs to its trace. */
import { guarded } from '../../../react-native/src/core/guard';
import { inRequest, requestContext } from '../core/context';
import type { Next, RequestLike } from './express';
import { bindEvents, ServedRequest } from './served-request';

/**
 * A middleware that opens the context of a request, for servers whose requests Node.js does not publish: HTTP/2. It stands before all
 * others. After `init` the context of an HTTP/1 request is open from its begin, and this changes nothing.
 *
 * It never throws, and never keeps a request from going on.
 */
export function requestContextHandler(request: RequestLike, _response: unknown, next: Next): void {
  const context = requestContext() === undefined ? guarded(undefined, () => opened(request)) : undefined;
  if (context === undefined) next();
  else inRequest(context, next);
}

function opened(request: RequestLike): ServedRequest {
  const context = new ServedRequest(request);
  bindEvents(request, context);
  return context;
}
