/** Programs of others that the tests use if they are there: a MongoDB server and an OpenTelemetry Collector. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { newFolder } from '../engine';
import { until } from './server';

/** `REZ_FERRETDB`: a server of MongoDB's protocol that is started as `<program> <port> <folder>`. */
export const ferretdb = process.env.REZ_FERRETDB;
/** `REZ_OTELCOL`: a Collector with the receiver `otlp` and the exporter `file`. */
export const otelcol = process.env.REZ_OTELCOL;

for (const [name, file] of Object.entries({ REZ_FERRETDB: ferretdb, REZ_OTELCOL: otelcol })) {
  if (!file) console.warn(`skipped: ${name} is not set`);
  else if (!existsSync(file)) throw new Error(`${name}: ${file} does not exist`);
}

/** A port that is free now: these programs cannot choose one themselves. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** A program that runs, and how it is ended. */
export interface Peer {
  readonly port: number;
  stop(): Promise<void>;
}

async function start(program: string, args: readonly string[], port: number): Promise<Peer> {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000);
  });
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  await until(() => {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${said}`);
    return accepts(port);
  });
  return {
    port,
    stop: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

/** Starts a MongoDB server over a new folder. */
export async function startFerret(): Promise<Peer & { url: string }> {
  const port = await freePort();
  const folder = join(newFolder(), 'db');
  mkdirSync(folder);
  const peer = await start(String(ferretdb), [String(port), folder], port);
  return { ...peer, url: `mongodb://127.0.0.1:${port}/` };
}

/** A connection of its own, as another process has one. */
export function connectMongo(url: string, name: string): Promise<mongoose.Connection> {
  return mongoose.createConnection(url, { dbName: name, serverSelectionTimeoutMS: 20_000 }).asPromise();
}

/** An attribute list as an object. */
export function attributesOf(
  list: readonly { key: string; value: Record<string, unknown> }[],
): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}

// biome-ignore lint/suspicious/noExplicitAny: the tests read any member of OTLP's JSON
type Otlp = any;

/** Starts a Collector that writes what it gets to a file. */
export async function startCollector(): Promise<Peer & { url: string; logs(): Otlp[]; metrics(): Otlp[] }> {
  const port = await freePort();
  const folder = newFolder();
  const files = { logs: join(folder, 'logs.json'), metrics: join(folder, 'metrics.json') };
  const config = join(folder, 'config.yaml');
  writeFileSync(
    config,
    `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters:
  file/logs: {path: ${files.logs}, flush_interval: 50ms}
  file/metrics: {path: ${files.metrics}, flush_interval: 50ms}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [file/logs]}
    metrics: {receivers: [otlp], exporters: [file/metrics]}
`,
  );
  const peer = await start(String(otelcol), ['--config', config], port);
  const read = (file: string): Otlp[] =>
    (existsSync(file) ? readFileSync(file, 'utf8') : '')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return {
    ...peer,
    url: `http://127.0.0.1:${port}`,
    logs: () => read(files.logs).flatMap((request) => request.resourceLogs),
    metrics: () => read(files.metrics).flatMap((request) => request.resourceMetrics),
  };
}
