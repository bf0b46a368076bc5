/** The sample API of `backend/example` with its stores, an ingest, a Collector and a Prometheus that scrapes them. */
import { execFile, fork } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { PROGRAM, place, startAt } from './collector.mjs';
import { freePort, json, later, missing, OPS, start, until } from './programs.mjs';
import { PROMETHEUS } from './rules.mjs';

const BACKEND = path.join(OPS, '../backend');
const KEY = 'the-write-key';
const run = promisify(execFile);

/** Why it cannot run; false if it can. */
export function unavailable() {
  const { REZ_NODE_ADDON, REZ_FERRETDB } = process.env;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 22 || (major === 22 && minor < 15)) return `Node.js ${process.versions.node} is older than 22.15`;
  if (!REZ_NODE_ADDON || !REZ_FERRETDB)
    return 'REZ_NODE_ADDON and REZ_FERRETDB are not set: cargo xtask ops check sets them';
  if (!fs.existsSync(path.join(BACKEND, 'lib/ingest.js'))) return 'the package in backend is not built';
  return missing('prometheus', PROGRAM, 'redis-server');
}

/** Starts all of it. `query`: the result of an expression. `app`: runs the app on a device. `call`: a request to the API. */
export async function startShop(t) {
  const at = await place(t);
  await startAt(t, at, ['prometheus']);
  const { startServices } = await import(path.join(BACKEND, 'example/services.mjs'));
  const services = await startServices(at.folder, { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: at.url });
  later(t, () => services.stop());
  if (services.missing.length > 0) throw new Error(`not started: ${services.missing}`);
  const api = await startApi(t, at, services.variables);
  const ingest = await startIngest(t, at);
  const exporter = await startExporter(t);
  const prometheus = await startPrometheus(t, at, api, exporter);
  return {
    call: async (route, body) =>
      (
        await fetch(api + route, {
          ...(body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        })
      ).arrayBuffer(),
    app: (...end) =>
      run(process.execPath, [
        path.join(import.meta.dirname, 'app.mjs'),
        path.join(at.folder, 'app'),
        ingest,
        KEY,
        ...end,
      ]),
    async query(expression) {
      const { data } = await json(`${prometheus}/api/v1/query?${new URLSearchParams({ query: expression })}`);
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
  };
}

async function startApi(t, at, variables) {
  const child = fork(path.join(BACKEND, 'example/server.mjs'), {
    cwd: BACKEND,
    execArgv: ['--import', '@rez/monitor-node/register'],
    env: {
      ...process.env,
      ...variables,
      REZ_APP: 'rez-shop-api',
      NODE_ENV: 'production',
      PORT: '0',
      LOG_LEVEL: 'silent',
      REZ_FOLDER: path.join(at.folder, 'api'),
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  later(t, () => {
    child.kill('SIGTERM');
    return ended;
  });
  const port = await Promise.race([
    new Promise((resolve) => child.once('message', (message) => resolve(message.port))),
    ended.then((code) => {
      throw new Error(`the API ended with ${code}`);
    }),
  ]);
  return `http://127.0.0.1:${port}`;
}

async function startIngest(t, at) {
  const { otlpSink, rezIngest } = await import(path.join(BACKEND, 'lib/ingest.js'));
  const server = http.createServer(rezIngest({ keys: { [KEY]: 'shop' }, sink: otlpSink({ endpoint: at.url }) }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(t, () => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

/** An exporter with metrics of the API's names, as redis_exporter has `redis_commands_total`: those are none of the API's. */
async function startExporter(t) {
  const names = ['http_requests_total', 'redis_commands_total', 'mongodb_queries_total', 'payments_total'];
  const start = Date.now();
  const server = http.createServer((_, response) => {
    const value = 1_000 * (Date.now() - start);
    const text = names.map((name) => `# TYPE ${name} counter\n${name}{command="other"} ${value}\n`).join('');
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  later(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** The real scrape configuration, with the jobs and addresses of this test, and a scrape every two seconds. */
async function startPrometheus(t, at, api, redis) {
  const settings = parse(fs.readFileSync(path.join(PROMETHEUS, 'prometheus.yml'), 'utf8'), { merge: true });
  const targets = { api, redis, collector: at.own, 'collector-apps': at.metrics };
  Object.assign(settings.global, { scrape_interval: '2s', scrape_timeout: '2s' });
  settings.rule_files = [];
  settings.alerting = undefined;
  settings.scrape_configs = settings.scrape_configs
    .filter(({ job_name }) => targets[job_name])
    .map(({ file_sd_configs: _, ...job }) => ({
      ...job,
      static_configs: [{ targets: [new URL(targets[job.job_name]).host] }],
    }));
  const file = path.join(at.folder, 'prometheus.yml');
  fs.writeFileSync(file, stringify(settings));
  const address = `127.0.0.1:${await freePort()}`;
  const data = path.join(at.folder, 'prometheus');
  const program = start(
    'prometheus',
    `--config.file=${file}`,
    `--web.listen-address=${address}`,
    `--storage.tsdb.path=${data}`,
  );
  later(t, () => program.stop());
  await until('every target is up', async () => {
    if (!program.running) return true;
    const { data } = await json(`http://${address}/api/v1/targets?state=active`);
    return data.activeTargets.length === 4 && data.activeTargets.every(({ health }) => health === 'up');
  });
  if (!program.running) throw new Error(program.log());
  return `http://${address}`;
}
