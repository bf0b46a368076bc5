/** Limits and names of the metrics. */

/**
 * Upper bounds of the buckets, in seconds: those that OpenTelemetry's conventions give for `http.server.request.duration`, so that a
 * quantile of the scrape is that of the OTLP metric. 1 is where the guide calls a request slow.
 */
export const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The label of routes beyond `MAX_ROUTES`, and of methods and commands that are not listed. */
export const OTHER = 'other';

/** Labels for routes. An app that makes routes while it runs does not fill memory. */
export const MAX_ROUTES = 1_000;

/** Methods that are labels: a client can send any word. */
export const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
]);

/** Commands of MongoDB that are queries and get their name as a label. */
export const QUERIES: ReadonlySet<string> = new Set([
  'aggregate',
  'bulkWrite',
  'count',
  'delete',
  'distinct',
  'find',
  'findAndModify',
  'getMore',
  'insert',
  'update',
]);
