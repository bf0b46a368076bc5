/** The guide's performance monitor: the last 1,000 requests in memory, a warning for each slow one, and a line for each request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { guarded, isRecord } from '../../../react-native/src/core/guard';
import { inRequest, requestContext } from '../core/context';
import { limits } from '../core/limits';
import { logger } from '../core/logger';
import { shared } from '../core/shared';
import { routeOf } from '../http/endpoint';
import { ifAllowed } from '../http/request-privacy';
import { statusOf } from '../http/server';
import { pathOf, urlForLog } from '../http/url';

/** A request that was answered. */
export interface PerformanceMetric {
  /** The template of the route, `/api/products/:id`; `unknown` if no route answered. */
  endpoint: string;
  method: string;
  /** In milliseconds, with a fraction. */
  duration: number;
  /** 499 if the client left before the answer, as in nginx's log. */
  statusCode: number;
  timestamp: Date;
  /** The path as it was asked for, without the query. */
  path?: string;
}

/** Requests that are kept. From the guide. */
const MAX_METRICS = 1_000;

/** Keeps the last 1,000 requests: what `performanceMiddleware` sees, and what the app adds. */
export class PerformanceMonitor {
  private ring: PerformanceMetric[] = [];
  /** Where the next one goes when the ring is full, which is where the oldest is. */
  private next = 0;

  /** Keeps a request, in the place of the oldest. What is no object is ignored. One that took more than 1,000 ms is logged: `Slow request detected`. */
  logMetric(metric: PerformanceMetric): void {
    // A hole in the ring would fail those who read it.
    if (!isRecord(metric)) return;
    if (this.ring.length < MAX_METRICS) this.ring.push(metric);
    else {
      this.ring[this.next] = metric;
      this.next = (this.next + 1) % MAX_METRICS;
    }
    if (metric.duration > limits().slowRequestMs) {
      const { endpoint, duration, method } = metric;
      logger.warn('Slow request detected', { endpoint, duration, method });
    }
  }

  /**
   * The mean duration in milliseconds of the requests that are kept; 0 if there is none.
   *
   * @param endpoint the template of a route, `/api/products/:id`, or a path, `/api/products/42`
   */
  getAverageResponseTime(endpoint: string): number {
    let total = 0;
    let count = 0;
    for (const metric of this.ring) {
      if (metric.endpoint !== endpoint && metric.path !== endpoint) continue;
      total += metric.duration;
      count += 1;
    }
    return count === 0 ? 0 : total / count;
  }

  /** A copy of what is kept, the oldest first. */
  getMetrics(): PerformanceMetric[] {
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
  }

  /** Forgets what is kept. */
  clearMetrics(): void {
    this.ring = [];
    this.next = 0;
  }
}

/** The monitor of the process. */
export const performanceMonitor: PerformanceMonitor = shared('performance', () => new PerformanceMonitor());

/** A request of Express, or of `node:http`. */
type Request = IncomingMessage & { ip?: string | undefined };

/**
 * Measures each request and logs it: `Request completed`. A client that leaves before the answer is a request with the status 499.
 *
 * Mount it first, and once: `app.use(performanceMiddleware)`. It never throws and never delays the request.
 */
export function performanceMiddleware(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  guarded(undefined, () => {
    const began = performance.now();
    // Node.js remembers the address once it was read; of a socket that is closed it knows none.
    void request.socket.remoteAddress;
    const context = requestContext();
    const work = () => completed(request, response, performance.now() - began);
    // Each answer closes once, finished or not. Of requests that share a connection it does so in the context of another one.
    response.on('close', () => guarded(undefined, () => inRequest(context, work)));
  });
  next();
}

function completed(request: Request, response: ServerResponse, ms: number): void {
  const method = request.method ?? '';
  const statusCode = statusOf(response);
  const duration = Math.round(ms * 1_000) / 1_000;
  performanceMonitor.logMetric({
    endpoint: routeOf(request),
    method,
    duration,
    statusCode,
    timestamp: new Date(),
    path: pathOf(request),
  });
  logger.info('Request completed', {
    method: ifAllowed('request.method', method),
    url: urlForLog(request),
    statusCode,
    duration,
    ip: ifAllowed('request.ip', request.ip ?? request.socket.remoteAddress),
    userAgent: ifAllowed('request.headers.userAgent', request.headers['user-agent']?.slice(0, 300)),
  });
}
