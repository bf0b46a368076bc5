/** The metrics of the guide's dashboard, under its names, in prom-client's registry. */
import type * as Prom from 'prom-client';
import { recordOf } from '../../../react-native/src/core/guard';
import { describe } from '../../../react-native/src/core/json';
import { warnOnce } from '../core/logger';
import { loadPeer } from '../core/peer';
import { shared } from '../core/shared';
import { subscribe } from '../core/signals';
import { publishRedis } from '../drivers/redis';
import { countHttp } from './http';
import { OTHER, QUERIES } from './policy';
import { type Metrics, registered } from './registry';

/** What of a registry of prom-client is used directly; an app without prom-client has no need of its types. */
export interface Register {
  getSingleMetric(name: string): unknown;
  metrics(): Promise<string>;
  readonly contentType: string;
}

/** Every member is optional. */
export interface MetricsOptions {
  /** The registry of prom-client that takes the metrics. Default: prom-client's own, which the app's other metrics are in. */
  register?: Register;
}

/** Null: they were tried, and there are none. It is not tried again, because a payment must not look for a package on the disk. */
interface State {
  metrics: Metrics | null | undefined;
}

const state = () => shared<State>('metrics', () => ({ metrics: undefined }));

/**
 * Starts to count, once per process; the first call decides on the registry. Returns whether there are metrics: `false` without
 * prom-client, or if it fails, which is a line of the log. Never throws.
 */
export function startMetrics(options: MetricsOptions = {}): boolean {
  return metricsOf(options) !== null;
}

/** The metrics, started if they were not tried before. Null: there are none, and the log says why. */
export function metricsOf(options: MetricsOptions = {}): Metrics | null {
  const known = state();
  const { register } = recordOf(options);
  if (known.metrics) {
    if (register && register !== known.metrics.register) {
      warnOnce('metrics: the registry of the first call is used, another one was given later');
    }
  } else if (known.metrics === undefined) known.metrics = started(register);
  return known.metrics;
}

function started(register: Register | undefined): Metrics | null {
  const prom = loadPeer<typeof Prom>('prom-client', 'there are no metrics for Prometheus');
  if (!prom) return null;
  try {
    const metrics = registered(prom, (register as Prom.Registry | undefined) ?? prom.register);
    countHttp(metrics);
    countDrivers(metrics);
    return metrics;
  } catch (error) {
    warnOnce(`metrics: they cannot be started (${describe(error)}): there are no metrics for Prometheus`);
    return null;
  }
}

/** Counts a payment that was tried: `payments_total`, and `payments_successful` if it went through. */
export function recordPayment(succeeded: boolean): void {
  const metrics = metricsOf();
  metrics?.payments?.inc();
  if (succeeded) metrics?.paymentsSuccessful?.inc();
}

/** MongoDB's commands are published for the clients that `setupQueryMonitoring` was told of. */
function countDrivers({ queries, slowQueries, redisCommands, redisHits }: Metrics): void {
  subscribe('rez:mongodb.command', ({ command: any, slow }) => {
    const command = QUERIES.has(any) ? any : OTHER;
    queries?.inc({ command });
    if (slow) slowQueries?.inc({ command });
  });
  publishRedis();
  subscribe('rez:redis.command', ({ hit }) => {
    if (hit === undefined) return;
    redisCommands?.inc();
    if (hit) redisHits?.inc();
  });
}
