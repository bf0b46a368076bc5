/** Answers Prometheus. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { guarded } from '../../../react-native/src/core/guard';
import { describe } from '../../../react-native/src/core/json';
import { withoutQuery } from '../core/path';
import { requireWith } from '../core/peer';
import { leaveOut } from '../core/probes';
import { type MetricsOptions, metricsOf } from './start';

/** Works as a handler of Express, of connect, and of `http.createServer`. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Works as a middleware of Express and of connect. */
export type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * Starts to count, and makes the handler for `/metrics`. It answers with the metrics of the registry, with 501 if there are none (prom-client
 * is not installed, or the log says why), and with 500 if a metric of the app cannot be read.
 *
 * It asks for no token: what it answers is for Prometheus, so do not route `/metrics` from outside. A scrape is no row and is not counted,
 * whatever its path.
 */
export function metricsHandler(options: MetricsOptions = {}): Handler {
  const metrics = metricsOf(options);
  const why = requireWith('prom-client')
    ? 'there are no metrics: the log says why\n'
    : 'prom-client is not installed: npm install prom-client\n';
  return (request, response) => {
    leaveOut(request);
    if (!metrics) {
      guarded(undefined, () => answer(response, 501, why));
      return;
    }
    const { register } = metrics;
    // Async: a registry of the app can throw at once.
    (async () => register.metrics())()
      .then(
        (text) => answer(response, 200, text, register.contentType),
        (error: unknown) => answer(response, 500, `a metric cannot be read: ${describe(error)}\n`),
      )
      // A response that the app has changed can throw: then there is nobody to answer.
      .catch(() => undefined);
  };
}

/** Starts to count, and makes a middleware that answers GET and HEAD of `/metrics`: `app.use(metricsRouter())`. */
export function metricsRouter(options: MetricsOptions = {}): Middleware {
  const handler = metricsHandler(options);
  return (request, response, next) => {
    const { method } = request;
    if (withoutQuery(request.url ?? '') === '/metrics' && (method === 'GET' || method === 'HEAD'))
      handler(request, response);
    else next();
  };
}

function answer(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  // The client may have gone, or a middleware may have answered after a time limit.
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader('Content-Type', type);
  response.end(text);
}
