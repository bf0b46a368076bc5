/** The real Collector with the real files, on loopback: what comes in, what goes out, and what a killed process leaves. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test from 'node:test';
import { archived, list, PROGRAM, place, send, sendLogs, startAt, startBare, text } from './collector.mjs';
import { later, missing, until } from './programs.mjs';
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
  assert.equal(await send(at, 'metrics', sum('orders', { asInt: '7' })), 200);
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
  const second = { archive: `${at.archive}.2` };
  await until('the new line is in the file', () => has(second, ['meanwhile']));
  assert.ok(!texts(second).includes('before'));
});

test('lines that no queue had room for are read again after SIGKILL', { skip }, async (t) => {
  const at = await place(t);
  const variables = { REZ_GATEWAY_ENDPOINT: 'http://127.0.0.1:1', REZ_QUEUE_BYTES: '200000' };
  const killed = await startBare(t, at, ['gateway'], variables);
  const large = ['x'.repeat(60_000)];
  while ((await sendLogs(at, large)) === 200);
  const refused = async () =>
    Number(/^otelcol_exporter_enqueue_failed_log_records\{.*\} (\S+)$/m.exec(await text(at.own))[1]);
  const before = await refused();
  const lines = numbered('line', 60).map((line) => line.padEnd(1_500, '.'));
  // All of them appear at once: the queue has room for a few alone.
  const part = path.join(at.folder, 'part');
  fs.writeFileSync(part, lines.map((line) => `${line}\n`).join(''));
  fs.renameSync(part, at.logs.api);
  await until('the lines are refused', async () => (await refused()) > before);
  killed.signal('SIGKILL');
  await killed.ended;

  await startBare(t, at, ['file'], { REZ_ARCHIVE_FILE: at.archive });
  await until('every line is in the file', () => has(at, lines), 60);
});

test('a record and a line above 900 kB reach the gateway', { skip }, async (t) => {
  const [agent, gateway] = [await place(t), await place(t)];
  await startAt(t, gateway, ['file'], { REZ_ARCHIVE_FILE: gateway.archive });
  fs.writeFileSync(agent.logs.api, `${'z'.repeat(920_000)}\n`);
  await startAt(t, agent, ['gateway'], { REZ_GATEWAY_ENDPOINT: gateway.url });
  assert.equal(await sendLogs(agent, ['y'.repeat(950_000)]), 200);
  const sizes = () => texts(gateway).map(({ length }) => length);
  const all = async () => sizes().length === 3 && sizes().sort((a, b) => a - b);
  assert.deepEqual(await until('all of it is at the gateway', all, 60), [920_000 - 524_288, 524_288, 950_000]);
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

test('401, 403, 404 and 500 are final: what was answered so is dropped and counted', { skip }, async (t) => {
  const at = await place(t);
  const codes = [401, 403, 404, 500];
  const url = await serve(t, (_, response) => response.writeHead(codes[0]).end());
  await startAt(t, at, ['gateway'], { REZ_GATEWAY_ENDPOINT: url });
  for (let count = 1; codes.length > 0; count++) {
    assert.equal(await sendLogs(at, ['lost']), 200);
    await until(`${codes[0]} is counted`, async () =>
      new RegExp(`^otelcol_exporter_send_failed_log_records\\{.*\\} ${count}$`, 'm').test(await text(at.own)),
    );
    codes.shift();
  }
});

test('what was answered for Datadog is delivered after SIGKILL, metrics as deltas', { skip }, async (t) => {
  const [agent, datadog] = [await place(t), await place(t)];
  const variables = { DD_API_KEY: 'key', DD_OTLP_ENDPOINT: datadog.url };
  const killed = await startBare(t, agent, ['datadog'], variables);
  const sent = numbered('record', 50);
  assert.equal(await sendLogs(agent, sent), 200);
  for (const asInt of ['7', '9']) assert.equal(await send(agent, 'metrics', sum('orders', { asInt })), 200);
  killed.signal('SIGKILL');
  assert.equal(await killed.ended, 'SIGKILL');

  await startAt(t, datadog, ['file'], { REZ_ARCHIVE_FILE: datadog.archive });
  await startBare(t, agent, ['datadog'], variables);
  await until('every record is there', () => has(datadog, sent));
  const [orders] = await until('the metric is there', () => archivedSums(datadog, 'orders'));
  assert.equal(orders.aggregationTemporality, 1);
  assert.deepEqual(
    orders.dataPoints.map(({ asInt }) => asInt),
    ['2'],
  );
});

/** A request with one point of a cumulative counter. */
function sum(name, value) {
  const point = { timeUnixNano: `${Date.now()}000000`, attributes: list({ shop: 'pune' }), ...value };
  const metric = { name, sum: { dataPoints: [point], aggregationTemporality: 2, isMonotonic: true } };
  const resource = { attributes: list({ 'service.name': 'rezapp-api' }) };
  return { resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }] };
}

/** The points of a counter in the file of the exporter `file`; undefined if there are none. */
function archivedSums(at, name) {
  const lines = fs.readFileSync(at.archive, 'utf8').split('\n').slice(0, -1);
  const metrics = lines.flatMap((line) =>
    (JSON.parse(line).resourceMetrics ?? []).flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((of) => of.metrics)),
  );
  const found = metrics.filter((metric) => metric.name === name);
  return found.length > 0 ? found.map((metric) => metric.sum) : undefined;
}

const BY_KEY = [
  ['newrelic', 'NEW_RELIC_LICENSE_KEY', 'NEW_RELIC_OTLP_ENDPOINT', 'api-key'],
  ['datadog', 'DD_API_KEY', 'DD_OTLP_ENDPOINT', 'dd-api-key'],
];

test('a secret reaches its service as it is, with signs that the Collector would replace', { skip }, async (t) => {
  const key = ['pa$$word$HOME', '{env:HOME}'].join('$');
  for (const [name, variable, endpoint, header] of BY_KEY) {
    for (const as of ['variable', 'credential']) {
      const at = await place(t);
      const got = [];
      const url = await serve(t, (request, response) => {
        got.push(request.headers[header]);
        response.end();
      });
      const credentials = fs.mkdtempSync(path.join(at.folder, 'credentials-'));
      if (as === 'credential') fs.writeFileSync(path.join(credentials, variable.toLowerCase()), key);
      const secret = as === 'variable' ? { [variable]: key } : { CREDENTIALS_DIRECTORY: credentials };
      await startAt(t, at, [name], { ...secret, [endpoint]: url });
      assert.equal(await sendLogs(at, ['a']), 200);
      await until('it is delivered', () => got.length > 0);
      assert.equal(got[0], key, `${name} by a ${as}`);
    }
  }
});

/** A receiving end that answers as `listener` says. */
async function serve(t, listener) {
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => listener(request, response));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

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
