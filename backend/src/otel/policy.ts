/** What of OpenTelemetry is used, and its limits. */

/** Time in milliseconds for the last spans where nobody gives a limit: at a signal, and when the event loop is empty. */
export const FLUSH_MS = 2_000;

/**
 * The instrumentations that are loaded. `pino` and `winston` only add `trace_id` and `span_id` to the lines of the app's own logger. The
 * variable `OTEL_NODE_ENABLED_INSTRUMENTATIONS` replaces the list.
 */
export const INSTRUMENTATIONS = [
  'http',
  'express',
  'mongodb',
  'mongoose',
  'ioredis',
  'redis',
  'undici',
  'runtime-node',
  'pino',
  'winston',
] as const;
