/**
 * What watching costs: the same routes on Express alone, with this package and everything on, with OpenTelemetry's SDK and nothing of
 * ours, and with the agents that the guide installs, in one run and in turn.
 *
 * `p50` is measured on one connection, one request after the other, so that it is the time of a request and not of a queue;
 * `throughput` with autocannon on ten connections. Everything that is sent goes to a sink on this machine.
 *
 * Usage: `node bench/overhead.mjs [rounds] [minutes of the memory test]`.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import autocannon from 'autocannon';

const ROUNDS = Number(process.argv[2] ?? 3);
const MINUTES = Number(process.argv[3] ?? 0);
const WARM_UP = 2_000;
const REQUESTS = 5_000;
const SECONDS = 8;
/** Targets: microseconds of a request over the floor, and the throughput of the guide's agents. */
const LIMIT_US = 30;
const LEAST_TIMES = 1.3;

const folder = mkdtempSync(path.join(tmpdir(), 'rez-bench-'));
const sink = await listen(createServer((incoming, answer) => incoming.resume().on('end', () => answer.end('{}'))));
const servers = {
  'Express alone': ['bare.mjs', []],
  '@rez/monitor-node': ['ours.mjs', []],
  '.. and OpenTelemetry': ['ours.mjs', ['--import', '@rez/monitor-node/register']],
  'OpenTelemetry alone': ['bare.mjs', ['--import', './bench/servers/otel.mjs']],
  "the guide's agents": ['guide.cjs', []],
};
/** What the limits are for. */
const OURS = ['@rez/monitor-node', '.. and OpenTelemetry'];
const results = Object.fromEntries(Object.keys(servers).map((name) => [name, { p50: [], throughput: [] }]));

for (let round = 0; round < ROUNDS; round++) {
  for (const [name, server] of Object.entries(servers)) {
    const { child, port } = await start(...server);
    await sequence(port, WARM_UP);
    results[name].p50.push(await sequence(port, REQUESTS));
    results[name].throughput.push(await load(port, SECONDS));
    await stop(child);
  }
}
print();
if (MINUTES > 0) await memory();
sink.server.close();
rmSync(folder, { recursive: true, force: true });

function start(script, options) {
  const child = fork(path.join(import.meta.dirname, 'servers', script), {
    cwd: path.join(import.meta.dirname, '..'),
    execArgv: ['--expose-gc', ...options],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      REZ_FOLDER: path.join(folder, 'queue'),
      SENTRY_DSN: `http://key@127.0.0.1:${sink.port}/1`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink.port}`,
      DD_TRACE_AGENT_URL: `http://127.0.0.1:${sink.port}`,
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      SINK_PORT: String(sink.port),
    },
  });
  return new Promise((resolve, reject) => {
    child.once('message', ({ port }) => resolve({ child, port }));
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
  });
}

function stop(child) {
  child.removeAllListeners('exit');
  return new Promise((resolve) => child.once('exit', resolve).kill('SIGKILL'));
}

/** The median of the times of requests that follow each other on one connection, in microseconds. */
async function sequence(port, requests) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times = new Float64Array(requests);
  for (let at = 0; at < requests; at++) {
    const begin = process.hrtime.bigint();
    await get(agent, port, `/products/${at % 24}`);
    times[at] = Number(process.hrtime.bigint() - begin) / 1_000;
  }
  agent.destroy();
  return times.sort()[requests >> 1];
}

function get(agent, port, url) {
  return new Promise((resolve, reject) => {
    request({ agent, port, host: '127.0.0.1', path: url }, (answer) => answer.resume().on('end', resolve))
      .on('error', reject)
      .end();
  });
}

async function load(port, seconds) {
  const run = await autocannon({ url: `http://127.0.0.1:${port}/products/7`, connections: 10, duration: seconds });
  return run.requests.average;
}

function listen(server) {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve({ server, port: server.address().port })),
  );
}

function print() {
  const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
  const floor = median(results['Express alone'].p50);
  const guide = median(results["the guide's agents"].throughput);
  console.log('server                  p50 us   over the floor   requests/s   of the guide');
  for (const [name, { p50, throughput }] of Object.entries(results)) {
    const [time, rate] = [median(p50), median(throughput)];
    const cells = [
      time.toFixed(0).padStart(9),
      (time - floor).toFixed(0).padStart(16),
      rate.toFixed(0).padStart(12),
      `${(rate / guide).toFixed(2)}x`.padStart(14),
    ];
    console.log(name.padEnd(21) + cells.join(' '));
  }
  for (const name of OURS) {
    const [over, times] = [median(results[name].p50) - floor, median(results[name].throughput) / guide];
    console.log(
      `${name}: ${over.toFixed(0)} us over the floor (limit ${LIMIT_US}: ${over <= LIMIT_US ? 'holds' : 'missed'}), ` +
        `${times.toFixed(2)}x of the guide's agents (at least ${LEAST_TIMES}x: ${times >= LEAST_TIMES ? 'holds' : 'missed'})`,
    );
  }
}

/** The memory of our server under load, once a minute. */
async function memory() {
  const { child, port } = await start(...servers['.. and OpenTelemetry']);
  for (let minute = 0; minute <= MINUTES; minute++) {
    const used = new Promise((resolve) => child.once('message', resolve));
    child.send('memory');
    const { rss, heapUsed } = await used;
    console.log(
      `minute ${minute}: ${(rss / 2 ** 20).toFixed(1)} MiB resident, ${(heapUsed / 2 ** 20).toFixed(1)} MiB of heap`,
    );
    if (minute < MINUTES) await load(port, 60);
  }
  await stop(child);
}
