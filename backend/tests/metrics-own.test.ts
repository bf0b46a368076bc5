/** An app that has metrics of its own before the package starts. */
import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { setLogger } from '../src/core/logger';
import { recordPayment, startMetrics } from '../src/index';

test("a metric that the app has under a name of the guide stays the app's, and the others are there", async () => {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  setLogger({ info: write, warn: write, error: write });
  const register = new Registry();
  collectDefaultMetrics({ register });
  const own = new Counter({ name: 'payments_total', help: 'Of the app.', labelNames: ['bank'], registers: [register] });
  own.inc({ bank: 'a' });
  expect(startMetrics({ register })).toBe(true);
  recordPayment(true);
  const text = await register.metrics();
  expect(text).toContain('payments_total{bank="a"} 1');
  expect(text).toContain('\npayments_successful 1');
  expect(text.match(/^# TYPE nodejs_eventloop_lag_seconds /gm)).toHaveLength(1);
  register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  expect(await register.metrics()).toContain('# TYPE websocket_connections_total unknown');
  expect(lines).toEqual([expect.stringContaining('a metric payments_total of its own')]);
});
