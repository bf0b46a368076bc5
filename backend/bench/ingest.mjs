/**
 * How many events per second one core receives: `node bench/ingest.mjs` after `npx tsdown`.
 *
 * The server is a process of its own on one core, this one is the client. Each line sends the same packed batches. A second of CPU is
 * that of the server's process, so the number is one core's also if the core is shared. The floor reads the same bodies with
 * `express.json()` and answers 200.
 *
 * MongoDB and the Collector are measured if `REZ_FERRETDB` and `REZ_OTELCOL` name them. Their own time is not in the number.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const KEY = 'bench-key';
const CONNECTIONS = 8;
const EVENTS = 40_000;
const folder = mkdtempSync(join(tmpdir(), 'rez-bench-'));
const children = [];
const hasTaskset = cpus().length > 1 && spawnSync('taskset', ['--version']).status === 0;

/** Digits that do not repeat, as those of real ids: they pack badly. */
function digits(n, count) {
  return createHash('sha256').update(String(n)).digest('hex').slice(0, count);
}

/** A call of an API as an app records it, about 650 bytes. */
function event(n) {
  return {
    id: `019f0c1e-7c1e-7${digits(n, 3)}-9b0e-${digits(-n, 12)}`,
    seq: 2 ** 40 + n,
    ts: new Date(Date.now() - 1000).toISOString(),
    kind: 'api_call',
    boot: '44444444-0000-4000-8000-000000000001',
    mono_ms: 1_000_000 + n,
    session: '33333333-0000-4000-8000-000000000001',
    method: 'POST',
    url: `https://api.rezapp.com/orders/${n}/items`,
    endpoint: '/orders/:id/items',
    status: n % 20 === 0 ? 503 : 200,
    failed: n % 20 === 0,
    duration_us: Number.parseInt(digits(n, 5), 16),
    response_bytes: 4096,
    trace: { trace_id: digits(n, 32), span_id: digits(n, 16) },
    view: { name: 'Cart', id: '55555555-0000-4000-8000-000000000001' },
    user: { id: `u-${digits(n % 1000, 12)}` },
    tags: { store: 'pune-04' },
    attrs: { 'cart.items': 3, value: 1499.5, currency: 'INR' },
  };
}

/** Packed batches of `size` events each. */
function batches(size) {
  return Array.from({ length: EVENTS / size }, (_, at) => {
    const batch_id = `batch-${size}-${at}`;
    const events = Array.from({ length: size }, (_, n) => event(at * size + n));
    const resource = {
      run: '22222222-0000-4000-8000-000000000001',
      app: 'rezapp',
      release: 'rezapp@2.4.1+77',
      os: 'Android 15',
    };
    const sdk = { name: 'rez-monitor', version: '0.1.0' };
    const body = { v: 1, batch_id, install: 'i1', epoch: 1, boot: events[0].boot, sdk, resource, lost: [], events };
    const text = JSON.stringify(body);
    return { batch_id, bytes: text.length, packed: gzipSync(text, { level: 3 }) };
  });
}

/** Starts a program and waits until its port accepts connections. */
async function start(command, args, port, env = {}) {
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  children.push(child);
  const accepts = () =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
  while (!(await accepts())) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return child;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });

function ask(port, path, batch) {
  const headers = batch && {
    authorization: `Bearer ${KEY}`,
    'content-type': 'application/json',
    'content-encoding': 'gzip',
    'idempotency-key': batch.batch_id,
    'content-length': batch.packed.length,
  };
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, path, method: batch ? 'POST' : 'GET', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', reject).on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${response.statusCode} ${text}`));
      });
    });
    sent.on('error', reject).end(batch?.packed);
  });
}

async function sendAll(port, all) {
  const left = all.values();
  const sender = async () => {
    for (const batch of left) await ask(port, '/v1/batch', batch);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, sender));
}

/** Sends all batches to a new server. Returns events per second of CPU, and per second. */
async function measure(sink, env, all) {
  const port = await freePort();
  const script = join(import.meta.dirname, 'ingest-server.mjs');
  const [command, ...args] = [...(hasTaskset ? ['taskset', '-c', '0'] : []), process.execPath, script];
  const child = await start(command, args, port, {
    ...env,
    BENCH_SINK: sink,
    BENCH_PORT: String(port),
    BENCH_KEY: KEY,
  });
  // A tenth warms the compiler up.
  const warm = Math.ceil(all.length / 10);
  await sendAll(port, all.slice(0, warm));
  const before = await ask(port, '/usage');
  const begin = performance.now();
  await sendAll(port, all.slice(warm));
  const seconds = (performance.now() - begin) / 1000;
  const after = await ask(port, '/usage');
  child.kill('SIGKILL');
  const events = (EVENTS * (all.length - warm)) / all.length;
  return {
    cpu: events / ((after.cpuMicroseconds - before.cpuMicroseconds) / 1e6),
    wall: events / seconds,
    rss: after.rss,
  };
}

async function mongo(program) {
  const [port, data] = [await freePort(), join(folder, 'db')];
  mkdirSync(data, { recursive: true });
  await start(program, [String(port), data], port);
  return `mongodb://127.0.0.1:${port}/`;
}

async function collector(program) {
  const port = await freePort();
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {file: {path: ${join(folder, 'logs.json')}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [file]}}
`,
  );
  await start(program, ['--config', config], port);
  return `http://127.0.0.1:${port}`;
}

async function main() {
  const { REZ_FERRETDB, REZ_OTELCOL } = process.env;
  const mongoUrl = REZ_FERRETDB && (await mongo(REZ_FERRETDB));
  const otlpUrl = REZ_OTELCOL && (await collector(REZ_OTELCOL));
  const lines = [
    ['express.json() and 200 (the floor)', 'floor', {}],
    ['rezIngest, function', 'function', {}],
    ['rezIngest, MongoDB', 'mongo', { BENCH_URL: mongoUrl }, mongoUrl, 'REZ_FERRETDB'],
    ['rezIngest, Collector', 'otlp', { BENCH_URL: otlpUrl }, otlpUrl, 'REZ_OTELCOL'],
  ];
  console.log(hasTaskset ? 'the server is bound to one core' : 'the server is not bound to a core: no taskset');
  for (const size of [50, 500]) {
    const all = batches(size);
    console.log(
      `\n${all.length} batches of ${size} events, ${all[0].bytes} bytes each, ${all[0].packed.length} packed`,
    );
    console.log('                                      events per CPU second   events/s    MiB');
    for (const [name, sink, env, peer = true, variable] of lines) {
      if (!peer) {
        console.log(`${name.padEnd(38)}skipped: ${variable} is not set`);
        continue;
      }
      const database = sink === 'mongo' ? { BENCH_URL: `${mongoUrl}bench${size}` } : env;
      const { cpu, wall, rss } = await measure(sink, database, all);
      const column = (value, width) => Math.round(value).toLocaleString('en').padStart(width);
      console.log(`${name.padEnd(38)}${column(cpu, 21)}${column(wall, 11)}${column(rss / 1024 / 1024, 7)}`);
    }
  }
}

try {
  await main();
} finally {
  agent.destroy();
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
