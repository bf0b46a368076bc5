/** What apps tell, from the metrics that the Collector counts: `../collector/config/prometheus.yml`. */
import { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { panel } from './panels.mjs';

const ENDED = 'sum by (job) (increase(app_session_ended_total[1h]))';
const CRASHED = 'sum by (job) (increase(app_session_ended_total{app_session_status="crashed"}[1h]))';
const LOADS = 'sum by (app_screen_name) (rate(app_screen_load_duration_seconds_count[15m]))';
const SLOW = 'sum by (app_screen_name) (rate(app_screen_load_duration_seconds_count{app_slow="true"}[15m]))';

/** @param {string} metric @param {string} label */
const p95 = (metric, label) => `histogram_quantile(0.95, sum by (le, ${label}) (rate(${metric}_bucket[15m])))`;

export const mobile = new DashboardBuilder('REZ App on Devices')
  .uid('rez-mobile')
  .tags(['rez'])
  .refresh('1m')
  .time({ from: 'now-24h', to: 'now' })
  .timezone('browser')
  .readonly()
  .withPanel(
    panel(
      'Crash-Free Sessions',
      'percentunit',
      'Part of the sessions that ended in the last hour without a crash.',
      // An app without a crash has no series of it.
      { '{{job}}': `1 - (${CRASHED} or 0 * ${ENDED}) / ${ENDED}` },
      { max: 1 },
    ),
  )
  .withPanel(
    panel(
      'Slow Screens',
      'percentunit',
      'Part of the loads of a screen that were slower than its limit.',
      { '{{app_screen_name}}': `(${SLOW} or 0 * ${LOADS}) / ${LOADS}` },
      { max: 1 },
    ),
  )
  .withPanel(
    panel('Screen Load p95', 's', 'Time until a screen is loaded.', {
      '{{app_screen_name}}': p95('app_screen_load_duration_seconds', 'app_screen_name'),
    }),
  )
  .withPanel(
    panel('API p95 from the Device', 's', 'Time of a call as the device measured it, with the network.', {
      '{{url_template}}': p95('app_api_duration_seconds', 'url_template'),
    }),
  )
  .withPanel(
    panel('Queue Losses by Reason', 'short', 'Events that apps have lost in the last hour.', {
      '{{app_queue_reason}}': 'sum by (app_queue_reason) (increase(app_queue_dropped_total[1h]))',
    }),
  );
