/** What Prometheus gets from the real Collector: hosts, and what is counted of apps. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { archived, list, PROGRAM, place, send, startAt, text } from './collector.mjs';
import { missing, until } from './programs.mjs';

const skip = missing(PROGRAM);

/** The series of a metric, from labels to value. */
const series = async (at, metric) =>
  (await text(at.metrics))
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`))
    .map((line) => ({
      labels: line.slice(0, line.lastIndexOf(' ')),
      value: Number(line.slice(line.lastIndexOf(' '))),
    }));

/** What installations report: how many events each has lost, since its queue was made. */
const losses = (totals, app = 'shop') => ({
  resourceMetrics: Object.entries(totals).map(([installation, total]) => {
    const attributes = list({ 'app.queue.reason': 'evicted_bytes', 'app.queue.kind': 'log' });
    const point = { timeUnixNano: `${Date.now()}000000`, asInt: String(total), attributes };
    const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point] };
    return {
      resource: { attributes: list({ 'service.name': app, 'app.installation.id': installation }) },
      scopeMetrics: [{ metrics: [{ name: 'app.queue.dropped', sum }] }],
    };
  }),
});

test('the losses of all installations of an app are one sum, and a phone is no label', { skip }, async (t) => {
  const at = await place(t);
  await startAt(t, at, ['prometheus']);
  const report = async (...of) => assert.equal(await send(at, 'metrics', losses(...of)), 200);
  await report({ 'phone-1': 5, 'phone-2': 7 });
  await report({ 'phone-3': 2 });
  await report({ 'phone-1': 6, 'phone-2': 7 });
  await report({ 'phone-4': 1 }, 'other');
  await until('both apps are there', async () => (await series(at, 'app_queue_dropped_total')).length === 2);
  const found = await series(at, 'app_queue_dropped_total');
  const of = (app) => found.find(({ labels }) => labels.includes(`job="${app}"`))?.value;
  assert.equal(of('shop'), 6 + 7 + 2);
  assert.equal(of('other'), 1);
  assert.doesNotMatch(await text(at.metrics), /phone-/);
});

test('two hosts are two series, and a line of a log file has its host', { skip }, async (t) => {
  const gateway = await place(t);
  await startAt(t, gateway, ['file', 'prometheus'], { REZ_ARCHIVE_FILE: gateway.archive });
  for (const HOSTNAME of ['api-1', 'api-2']) {
    const agent = await place(t);
    fs.writeFileSync(agent.logs.nginx, `a line of ${HOSTNAME}\n`);
    await startAt(t, agent, ['gateway'], { HOSTNAME, REZ_GATEWAY_ENDPOINT: gateway.url });
  }
  await until('both hosts are there', async () => {
    const load = await series(gateway, 'system_cpu_load_average_1m');
    return ['api-1', 'api-2'].every((host) => load.some(({ labels }) => labels.includes(`instance="${host}"`)));
  });
  await until('both lines are there', () => archived(gateway).length === 2);
  for (const { text, of } of archived(gateway)) assert.equal(text, `a line of ${of['host.name']}`);
});

test('screens beyond the limit are not counted, and those before go on', { skip }, async (t) => {
  const at = await place(t);
  await startAt(t, at, ['prometheus']);
  const load = async (names) => {
    const logRecords = names.map((name) => ({
      timeUnixNano: `${Date.now()}000000`,
      eventName: 'rez.screen_load',
      attributes: list({ 'rez.duration_us': 1_000, 'app.screen.name': name }),
    }));
    const resource = { attributes: list({ 'service.name': 'shop' }) };
    assert.equal(await send(at, 'logs', { resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }), 200);
  };
  const names = Array.from({ length: 6_000 }, (_, number) => `Screen ${number}`);
  for (let at = 0; at < names.length; at += 500) await load(names.slice(at, at + 500));
  await load(['Screen 0']);
  const counts = () => series(at, 'app_screen_load_duration_seconds_count');
  const first = await until('the first one goes on', async () =>
    (await counts()).find(({ labels, value }) => labels.includes('"Screen 0"') && value === 2),
  );
  assert.ok(first);
  assert.equal((await counts()).length, 5_000);
  assert.match(await text(at.own), /^otelcol_deltatocumulative_datapoints\S*\{.*error="limit".*\} 1000$/m);
});
