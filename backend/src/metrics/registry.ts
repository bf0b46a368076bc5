/** Makes the metrics in a registry of prom-client. */
import type * as Prom from 'prom-client';
import { warnOnce } from '../core/logger';
import { poolsByServer, type ServerPool } from '../drivers/mongodb-pool';
import { BUCKETS_S } from './policy';

/** The metrics. One that the app has registered itself under the same name is left to the app. */
export interface Metrics {
  register: Prom.Registry;
  requestSeconds: Prom.Histogram<'method' | 'route' | 'status'> | undefined;
  requests: Prom.Counter<'method' | 'route' | 'status'> | undefined;
  webSockets: Prom.Gauge | undefined;
  queries: Prom.Counter<'command'> | undefined;
  slowQueries: Prom.Counter<'command'> | undefined;
  redisHits: Prom.Counter | undefined;
  redisCommands: Prom.Counter | undefined;
  payments: Prom.Counter | undefined;
  paymentsSuccessful: Prom.Counter | undefined;
}

/** Registers all, with those of the process and the event loop if nobody has. */
export function registered(prom: typeof Prom, register: Prom.Registry): Metrics {
  const registers = [register];
  const once = <T>(name: string, make: (about: { name: string; registers: Prom.Registry[] }) => T): T | undefined => {
    if (!register.getSingleMetric(name)) return make({ name, registers });
    warnOnce(`metrics: the app has a metric ${name} of its own, which is not counted by this package`);
    return undefined;
  };
  for (const [name, help, read] of POOL_GAUGES) {
    once(name, (about) => {
      const gauge: Prom.Gauge<'server'> = new prom.Gauge({
        ...about,
        help,
        labelNames: ['server'],
        collect() {
          gauge.reset();
          // Two clients can have a pool for the same server each.
          for (const pool of poolsByServer()) gauge.inc({ server: pool.address }, read(pool));
        },
      });
      return gauge;
    });
  }
  if (!register.getSingleMetric('process_cpu_user_seconds_total')) prom.collectDefaultMetrics({ register });
  const labelNames = ['method', 'route', 'status'] as const;
  return {
    register,
    requestSeconds: once(
      'http_request_duration_seconds',
      (about) => new prom.Histogram({ ...about, help: 'Time to answer a request.', labelNames, buckets: BUCKETS_S }),
    ),
    requests: once(
      'http_requests_total',
      (about) => new prom.Counter({ ...about, help: 'Requests that were answered.', labelNames }),
    ),
    webSockets: once('websocket_connections_total', (about) =>
      untyped(register, new prom.Gauge({ ...about, help: 'WebSocket connections that are open.' })),
    ),
    queries: once(
      'mongodb_queries_total',
      (about) => new prom.Counter({ ...about, help: 'Queries to MongoDB that have ended.', labelNames: ['command'] }),
    ),
    slowQueries: once(
      'mongodb_slow_queries_total',
      (about) =>
        new prom.Counter({
          ...about,
          help: 'Queries to MongoDB that took longer than slowQueryMs.',
          labelNames: ['command'],
        }),
    ),
    redisHits: once(
      'redis_hits_total',
      (about) => new prom.Counter({ ...about, help: 'Commands of redis_commands_total that found their value.' }),
    ),
    redisCommands: once(
      'redis_commands_total',
      (about) => new prom.Counter({ ...about, help: 'Commands that read values of Redis by their keys.' }),
    ),
    payments: once('payments_total', (about) => new prom.Counter({ ...about, help: 'Payments that were tried.' })),
    paymentsSuccessful: once('payments_successful', (about) =>
      untyped(register, new prom.Counter({ ...about, help: 'Payments that went through.' })),
    ),
  };
}

/** Of each server: of a replica set one has all the work, and a sum would hide that its pool is exhausted. */
const POOL_GAUGES: readonly (readonly [string, string, (pool: ServerPool) => number])[] = [
  ['mongodb_pool_connections_in_use', 'Connections to MongoDB that run a command.', ({ inUse }) => inUse],
  [
    'mongodb_pool_connections_available',
    'Connections to MongoDB that are open and idle.',
    ({ open, inUse }) => open - inUse,
  ],
  [
    'mongodb_pool_connections_max',
    'Connections to MongoDB that the pools may open.',
    ({ isLimited, poolSize }) => (isLimited ? poolSize : Number.POSITIVE_INFINITY),
  ],
  ['mongodb_pool_waiting', 'Commands that wait for a connection to MongoDB.', ({ waiting }) => waiting],
];

/**
 * Two names of the dashboard say the wrong type: `websocket_connections_total` rises and falls, `payments_successful` lacks the suffix of a
 * counter. Without a type they are valid, `rate` works as before, and `promtool check metrics` has nothing to say.
 */
function untyped<T extends object>(register: Prom.Registry, metric: T): T {
  // OpenMetrics, which an app can choose at any time, has another word.
  const get = () => (register.contentType.includes('openmetrics') ? 'unknown' : 'untyped');
  return Object.defineProperty(metric, 'type', { get });
}
