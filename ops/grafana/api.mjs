/** The six panels of the guide's dashboard, from the metrics of the backend package. */
import { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { panel } from './panels.mjs';

// Exporters have metrics of the same names: redis_exporter's `redis_commands_total`.
const API = 'job="api"';
const REQUESTS = `sum(rate(http_requests_total{${API}}[5m]))`;
// Without a failure there is no series of it.
const FAILED = `(sum(rate(http_requests_total{${API}, status=~"5.."}[5m])) or 0 * ${REQUESTS})`;

/** @param {number} quantile */
const time = (quantile) =>
  `histogram_quantile(${quantile}, sum by (le) (rate(http_request_duration_seconds_bucket{${API}}[5m])))`;

export const api = new DashboardBuilder('REZ App Production Monitoring')
  .uid('rez-api')
  .tags(['rez'])
  .refresh('30s')
  .time({ from: 'now-6h', to: 'now' })
  .timezone('browser')
  .readonly()
  .withPanel(
    panel('API Response Time', 's', 'Time to answer a request, over all routes.', {
      p50: time(0.5),
      p95: time(0.95),
      p99: time(0.99),
    }),
  )
  .withPanel(
    panel('Error Rate', 'percentunit', 'Part of the requests that end with a status of 500 or above.', {
      errors: `${FAILED} / ${REQUESTS}`,
    }),
  )
  .withPanel(
    panel('Active Users', 'short', 'WebSocket connections that are open, over all instances.', {
      connections: `sum(websocket_connections_total{${API}})`,
    }),
  )
  .withPanel(
    panel('Database Queries', 'ops', 'Queries to MongoDB that have ended, by command.', {
      '{{command}}': `sum by (command) (rate(mongodb_queries_total{${API}}[5m]))`,
    }),
  )
  .withPanel(
    panel(
      'Cache Hit Rate',
      'percentunit',
      'Part of the reads by key that Redis had a value for.',
      { hits: `sum(rate(redis_hits_total{${API}}[5m])) / sum(rate(redis_commands_total{${API}}[5m]))` },
      { max: 1 },
    ),
  )
  .withPanel(
    panel(
      'Payment Success Rate',
      'percentunit',
      'Part of the payments that went through.',
      { successful: `sum(rate(payments_successful{${API}}[5m])) / sum(rate(payments_total{${API}}[5m]))` },
      { max: 1 },
    ),
  );
