/** The files of the Collector, and Collectors that run. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freePort, later, OPS, startIn, until } from './programs.mjs';

export const COLLECTOR = path.join(OPS, 'collector');
export const PROGRAM = 'rez-otelcol';
export const START = path.join(COLLECTOR, 'start.mjs');

/** As start.mjs gives it to the Collector. */
export const GATES = '--feature-gates=stanza.synchronousLogEmitter';

/** The files of `config` beside the base. */
export const NAMES = fs
  .readdirSync(path.join(COLLECTOR, 'config'))
  .map((file) => path.basename(file, '.yml'))
  .filter((name) => name !== 'base')
  .sort();

export const fileOf = (name) => path.join(COLLECTOR, 'config', `${name}.yml`);
export const textOf = (name) => fs.readFileSync(fileOf(name), 'utf8');

/** A value for each secret of the files. Nothing answers at these addresses. */
export const SECRETS = {
  AWS_REGION: 'ap-south-1',
  CLICKHOUSE_ENDPOINT: 'clickhouse://127.0.0.1:1',
  CLICKHOUSE_PASSWORD: 'secret',
  DD_API_KEY: '0123456789abcdef0123456789abcdef',
  KAFKA_BROKERS: '127.0.0.1:1,127.0.0.1:2',
  NEW_RELIC_LICENSE_KEY: 'secret',
  REZ_ARCHIVE_FILE: path.join(os.tmpdir(), 'rez-archive.json'),
  REZ_CONSUME_BROKERS: '127.0.0.1:1',
  REZ_GATEWAY_ENDPOINT: 'http://127.0.0.1:1',
  SENTRY_OTLP_ENDPOINT: 'https://127.0.0.1/api/1/integration/otlp',
  SENTRY_PUBLIC_KEY: 'secret',
};

/** An environment without any secret. */
export function without(environment) {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !(name in SECRETS) && name !== 'CREDENTIALS_DIRECTORY'),
  );
}

/** A place for one Collector: a folder for its state and its log files, and its ports. */
export async function place(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-collector-'));
  later(t, () => fs.rmSync(folder, { recursive: true, force: true }));
  const [http, grpc, health, own, metrics] = await Promise.all(Array.from({ length: 5 }, freePort));
  const file = (name) => path.join(folder, name);
  return {
    folder,
    url: `http://127.0.0.1:${http}`,
    health: `http://127.0.0.1:${health}`,
    own: `http://127.0.0.1:${own}/metrics`,
    metrics: `http://127.0.0.1:${metrics}/metrics`,
    archive: file('archive.json'),
    logs: { api: file('api.log'), nginx: file('error.log') },
    environment: {
      ...without(process.env),
      STATE_DIRECTORY: folder,
      REZ_OTLP_HTTP: `127.0.0.1:${http}`,
      REZ_OTLP_GRPC: `127.0.0.1:${grpc}`,
      REZ_COLLECTOR_HEALTH: `127.0.0.1:${health}`,
      REZ_COLLECTOR_METRICS_PORT: String(own),
      REZ_PROMETHEUS_LISTEN: `127.0.0.1:${metrics}`,
      REZ_LOG_API: file('api.log'),
      REZ_LOG_NGINX: file('error.log'),
    },
  };
}

/** Starts the Collector of a place with these files and variables, by `start.mjs`, and waits until it is healthy. */
export async function startAt(t, at, names, variables = {}) {
  const program = startIn({ ...at.environment, ...variables }, process.execPath, START, ...names);
  // start.mjs ends when the Collector has: nothing writes into the folder any more.
  later(t, () => {
    program.signal('SIGTERM');
    return program.ended;
  });
  return healthy(program, at);
}

/** The same without `start.mjs` around it, so that a signal reaches the Collector itself. */
export async function startBare(t, at, names, variables = {}) {
  const files = ['base', ...names].flatMap((name) => ['--config', fileOf(name)]);
  const program = startIn({ ...at.environment, ...variables }, PROGRAM, GATES, ...files);
  later(t, () => program.stop());
  return healthy(program, at);
}

async function healthy(program, at) {
  await until('the Collector is healthy', async () => !program.running || (await fetch(at.health)).ok);
  if (!program.running) throw new Error(program.log());
  return program;
}

/** Sends one record for each text. Returns the status. */
export async function sendLogs(at, texts, { event, attributes = {} } = {}) {
  const record = (text) => ({
    timeUnixNano: `${Date.now()}000000`,
    body: { stringValue: text },
    ...(event && { eventName: event }),
    attributes: list(attributes),
  });
  const logs = {
    resource: { attributes: list({ 'service.name': 'rez-shop' }) },
    scopeLogs: [{ logRecords: texts.map(record) }],
  };
  return send(at, 'logs', { resourceLogs: [logs] });
}

/** Posts a request of OTLP. Returns the status. */
export async function send(at, signal, body) {
  const response = await fetch(`${at.url}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Attributes of OTLP: numbers are whole. */
export function list(attributes) {
  const value = (of) => (typeof of === 'number' ? { intValue: String(of) } : { stringValue: of });
  return Object.entries(attributes).map(([key, of]) => ({ key, value: value(of) }));
}

/** The log records in the file of the exporter `file`: text and resource. */
export function archived(at) {
  if (!fs.existsSync(at.archive)) return [];
  // The last line may be half written.
  const lines = fs.readFileSync(at.archive, 'utf8').split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const { resourceLogs = [] } = JSON.parse(line);
    return resourceLogs.flatMap(({ resource, scopeLogs }) => {
      const of = Object.fromEntries((resource.attributes ?? []).map(({ key, value }) => [key, value.stringValue]));
      return scopeLogs.flatMap(({ logRecords }) => logRecords.map(({ body }) => ({ text: body.stringValue, of })));
    });
  });
}

export const text = async (url) => (await fetch(url)).text();
