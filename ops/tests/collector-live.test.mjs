/** The real Collector with the real files, on loopback: what comes in, what goes out, and what a killed process leaves. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { archived, list, PROGRAM, place, send, sendLogs, startAt, startBare, text } from './collector.mjs';
import { missing, until } from './programs.mjs';
import { alerts } from './rules.mjs';

const skip = missing(PROGRAM);
const texts = (at) => archived(at).map((record) => record.text);
const numbered = (name, count) => Array.from({ length: count }, (_, at) => `${name} ${at}`);
const has = (at, wanted) => wanted.every((one) => texts(at).includes(one));

test('OTLP and log files come in; the file and Prometheus go out', { skip }, async (t) => {
  const at = await place(t);
  fs.writeFileSync(at.logs.api, 'a line of the API\n');
  fs.writeFileSync(at.logs.nginx, 'a line of nginx\n');
  await startAt(t, at, ['file', 'prometheus'], { REZ_ARCHIVE_FILE: at.archive });
  assert.equal(await sendLogs(at, ['hello']), 200);
  const point = { timeUnixNano: `${Date.now()}000000`, asInt: '7', attributes: list({ shop: 'pune' }) };
  const metric = { name: 'orders', sum: { dataPoints: [point], aggregationTemporality: 2, isMonotonic: true } };
  const of = {
    resource: { attributes: list({ 'service.name': 'rezapp-api' }) },
    scopeMetrics: [{ metrics: [metric] }],
  };
  assert.equal(await send(at, 'metrics', { resourceMetrics: [of] }), 200);
  assert.equal(await send(at, 'traces', { resourceSpans: [] }), 200);

  await until('everything is in the file', () => has(at, ['hello', 'a line of the API', 'a line of nginx']));
  const groups = Object.fromEntries(archived(at).map((record) => [record.text, record.of['rez.log_group']]));
  assert.equal(groups['a line of the API'], '/rezapp/api');
  assert.equal(groups['a line of nginx'], '/rezapp/nginx-error');
  const scraped = await until('Prometheus has the counter and the host', async () => {
    const now = await text(at.metrics);
    return now.includes('orders_total{') && now.includes('system_cpu_time_seconds_total{') && now;
  });
  assert.match(scraped, /^orders_total\{.*shop="pune".*\} 7$/m);
});

test('what was answered is delivered after SIGKILL, when the gateway is back', { skip }, async (t) => {
  const [agent, gateway] = [await place(t), await place(t)];
  const variables = { REZ_GATEWAY_ENDPOINT: gateway.url };
  const killed = await startBare(t, agent, ['gateway'], variables);
  // The gateway is down. Each request is answered when it is on the disk.
  const sent = [];
  for (let request = 0; request < 20; request++) {
    const some = numbered(`request ${request} record`, 10);
    assert.equal(await sendLogs(agent, some), 200);
    sent.push(...some);
  }
  killed.signal('SIGKILL');
  assert.equal(await killed.ended, 'SIGKILL');

  await startAt(t, gateway, ['file'], { REZ_ARCHIVE_FILE: gateway.archive });
  await startBare(t, agent, ['gateway'], variables);
  await until('every record is at the gateway', () => has(gateway, sent));
});

test('lines of a log file that were written while the Collector was killed are read once', { skip }, async (t) => {
  const at = await place(t);
  const variables = { REZ_ARCHIVE_FILE: at.archive };
  fs.writeFileSync(at.logs.api, 'before\n');
  const killed = await startBare(t, at, ['file'], variables);
  await until('the line is in the file', () => has(at, ['before']));
  // The position is stored after the line was passed on: another line shows that it is.
  fs.appendFileSync(at.logs.api, 'between\n');
  await until('the next line is in the file', () => has(at, ['between']));
  killed.signal('SIGKILL');
  await killed.ended;
  fs.appendFileSync(at.logs.api, 'meanwhile\n');
  await startBare(t, at, ['file'], { ...variables, REZ_ARCHIVE_FILE: `${at.archive}.2` });
  const later = { archive: `${at.archive}.2` };
  await until('the new line is in the file', () => has(later, ['meanwhile']));
  assert.ok(!texts(later).includes('before'));
});

test('an exporter that is down holds back no other', { skip }, async (t) => {
  const at = await place(t);
  const variables = { REZ_GATEWAY_ENDPOINT: 'http://127.0.0.1:1', REZ_ARCHIVE_FILE: at.archive };
  const program = await startAt(t, at, ['gateway', 'file'], variables);
  assert.equal(await sendLogs(at, ['goes on']), 200);
  await until('the record is in the file', () => has(at, ['goes on']));
  await until('the log names the exporter', () => /otlp_http\/gateway/.test(program.log()));
  const own = await until('the queue holds the record', async () => {
    const now = await text(at.own);
    return /^otelcol_exporter_queue_size\{data_type="logs",exporter="otlp_http\/gateway".*\} [1-9]/m.test(now) && now;
  });
  assert.match(own, /^otelcol_exporter_queue_capacity\{.*\} 5\.36870912e\+08$/m);
});

test('a full queue refuses what it cannot keep', { skip }, async (t) => {
  const at = await place(t);
  const variables = { REZ_GATEWAY_ENDPOINT: 'http://127.0.0.1:1', REZ_QUEUE_BYTES: '200000' };
  await startAt(t, at, ['gateway'], variables);
  const large = ['x'.repeat(60_000)];
  const answers = [];
  for (let request = 0; request < 6; request++) answers.push(await sendLogs(at, large));
  assert.equal(answers[0], 200);
  assert.equal(answers.at(-1), 503);
  await until('the refusal is counted', async () =>
    /^otelcol_receiver_(refused|failed)_log_records\{.*\} [1-9]/m.test(await text(at.own)),
  );
});

test('an answer that will never change is counted as dropped', { skip }, async (t) => {
  const [at, other] = [await place(t), await place(t)];
  // A Collector answers 404 outside of its paths.
  await startAt(t, other, ['file'], { REZ_ARCHIVE_FILE: other.archive });
  await startAt(t, at, ['gateway'], { REZ_GATEWAY_ENDPOINT: `${other.url}/nowhere` });
  assert.equal(await sendLogs(at, ['lost']), 200);
  await until('it is counted', async () =>
    /^otelcol_exporter_send_failed_log_records\{.*\} 1$/m.test(await text(at.own)),
  );
});

test('a damaged queue ends the Collector with an error that names the exporter', { skip }, async (t) => {
  const at = await place(t);
  const variables = { REZ_GATEWAY_ENDPOINT: 'http://127.0.0.1:1' };
  const first = await startBare(t, at, ['gateway'], variables);
  assert.equal(await sendLogs(at, ['kept']), 200);
  await first.stop();
  const queue = path.join(at.folder, 'queue/exporter_otlp_http_gateway_logs');
  fs.writeFileSync(queue, Buffer.alloc(65_536, 'damaged'));
  await assert.rejects(startBare(t, at, ['gateway'], variables), /"otlp_http\/gateway" exporter: invalid database/);
  // What the page says: without that file it starts.
  fs.renameSync(queue, `${queue}.damaged`);
  await startBare(t, at, ['gateway'], variables);
  assert.equal(await sendLogs(at, ['next']), 200);
});

test('a signal to start.mjs ends the Collector, which sends what it has', { skip }, async (t) => {
  const at = await place(t);
  const program = await startAt(t, at, ['file'], { REZ_ARCHIVE_FILE: at.archive });
  assert.equal(await sendLogs(at, ['the last one']), 200);
  program.signal('SIGTERM');
  assert.equal(await program.ended, 0, program.log());
  assert.ok(has(at, ['the last one']));
  await assert.rejects(fetch(at.health));
});

test('a port that is in use ends the Collector with its error and exit code', { skip }, async (t) => {
  const at = await place(t);
  await startAt(t, at, ['file'], { REZ_ARCHIVE_FILE: at.archive });
  const second = startSecond(t, at);
  await assert.rejects(second, /address already in use/);
});

const startSecond = async (t, at) => {
  const other = await place(t);
  other.environment.REZ_OTLP_HTTP = at.environment.REZ_OTLP_HTTP;
  await startAt(t, other, ['file'], { REZ_ARCHIVE_FILE: other.archive });
};

test('the Collector emits what its rules use', { skip }, async (t) => {
  const [at, other] = [await place(t), await place(t)];
  await startAt(t, other, ['file'], { REZ_ARCHIVE_FILE: other.archive });
  await startAt(t, at, ['gateway'], { REZ_GATEWAY_ENDPOINT: other.url });
  const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'a', kind: 1 };
  const gauge = { name: 'g', gauge: { dataPoints: [{ asInt: '1', timeUnixNano: '1' }] } };
  assert.equal(await sendLogs(at, ['a']), 200);
  assert.equal(await send(at, 'traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }), 200);
  assert.equal(await send(at, 'metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [gauge] }] }] }), 200);
  const rules = alerts().filter(({ file }) => file === 'collector.yml');
  // A failure is counted from the first one: the test of what is dropped sees it.
  const used = new Set(rules.flatMap(({ expr }) => expr.match(/otelcol_(?!exporter_send_failed)\w+/g) ?? []));
  assert.ok(used.size >= 10);
  await until('all of them are there', async () => {
    const now = await text(at.own);
    const absent = [...used].filter((name) => !new RegExp(`^${name}\\{`, 'm').test(now));
    if (absent.length > 0) throw new Error(absent.join());
    return true;
  });
});
