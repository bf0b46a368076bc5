/** REZ Monitor for Node.js. `README.md` is the quick start. */
import { observe } from './observe';

observe();

// Start and state.

export type { Limits } from './core/limits';
export { type Fields, type Logger, setLogger } from './core/logger';
export { addDestination, close, flush, init, isDurable, status, why } from './core/monitor';
export type { Destination, Options } from './core/options';

// Errors and alerts.

export { type CaptureOptions, captureException, captureMessage } from './core/capture';
export { AlertSeverity, alertService } from './guide/alert-service';
export { AppError } from './guide/app-error';
export {
  asyncHandler,
  createErrorHandler,
  type ErrorHandlerOptions,
  errorHandler,
  notFoundHandler,
} from './guide/error-handler';
export type { AppLike, ErrorHandler, Next, RequestHandler, RequestLike, ResponseLike } from './http/express';
export { requestContextHandler } from './http/request-context';
export { type RequestPrivacy, setRequestPrivacy } from './http/request-privacy';
export type { RequestView } from './http/request-view';

// Performance and queries.

export { leaveOut } from './core/probes';
export { type PoolStatus, poolStatus, poolsByServer, type ServerPool } from './drivers/mongodb-pool';
export { setupDatabaseMonitoring } from './guide/database-monitor';
export {
  type PerformanceMetric,
  type PerformanceMonitor,
  performanceMiddleware,
  performanceMonitor,
} from './guide/performance';
export { profileQuery, setupQueryMonitoring } from './guide/query-monitor';
export { routeOf } from './http/endpoint';

// Health and shutdown.

export { gracefulShutdown, isShuttingDown, type ShutdownOptions } from './core/shutdown';
export type { Check } from './health/checks';
export {
  type HealthHandler,
  type HealthOptions,
  healthRouter,
  type MongooseHealth,
  type RedisHealth,
} from './health/router';

// Metrics.

export { type Handler, type Middleware, metricsHandler, metricsRouter } from './metrics/handler';
export { type MetricsOptions, type Register, recordPayment, startMetrics } from './metrics/start';
export { trackWebSockets } from './metrics/websockets';

// Telemetry.

export { startTelemetry, type Telemetry, type TelemetryOptions } from './otel/start';

// Vendors.

export { type DatadogOptions, initDatadogAPM } from './guide/datadog';
export { initNewRelic, type NewRelicOptions } from './guide/newrelic';
export { initSentry, type SentryOptions, sentryErrorHandler } from './guide/sentry';
