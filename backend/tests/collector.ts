/** A real OpenTelemetry Collector: it takes OTLP over http, and writes what it got to a file. `REZ_OTELCOL` is the program. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { newFolder } from './engine';
import { freePort, until } from './waiting';

const program = process.env.REZ_OTELCOL ?? '';

/** Why tests with a Collector are skipped; empty if they run. */
export const noCollector = existsSync(program)
  ? ''
  : ' (skipped: REZ_OTELCOL does not name an OpenTelemetry Collector)';

/** A span as OTLP's JSON has it, with its attributes as an object, and those of its resource. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** 2 is server, 3 is client. */
  kind: number;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
}

/** A running Collector. */
export interface Collector {
  url: string;
  /** The spans that are in its file so far. */
  spans(): Span[];
  /** Its file as it is. */
  text(): string;
  /** The names of the metrics that are in its file so far. */
  metrics(): string[];
  stop(): Promise<void>;
}

/** Starts a Collector on a free port. Another process can take the port before it listens: then the next one is tried. */
export async function startCollector(): Promise<Collector> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const collector = await startOn(await freePort());
    if (collector) return collector;
  }
  throw new Error('the Collector does not start');
}

async function startOn(port: number): Promise<Collector | undefined> {
  const folder = newFolder();
  const file = join(folder, 'out.json');
  writeFileSync(
    join(folder, 'config.yaml'),
    `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {file: {path: "${file}", flush_interval: 100ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
    metrics: {receivers: [otlp], exporters: [file]}
`,
  );
  const child = spawn(program, ['--config', join(folder, 'config.yaml')], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => hasEnded(child) || (await answers(url)));
  if (hasEnded(child)) return undefined;
  return {
    url,
    spans: () => linesOf(file).flatMap(spansOf),
    text: () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
    metrics: () => linesOf(file).flatMap(metricsOf),
    async stop() {
      if (hasEnded(child)) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** A server that takes connections and never answers. */
export async function startHanging(): Promise<{ url: string; close(): void }> {
  const server = createServer(() => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/v1/traces`).then(
    () => true,
    () => false,
  );
}

// biome-ignore lint/suspicious/noExplicitAny: a document of the Collector
type Json = any;

function linesOf(file: string): Json[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // The last line can be half written.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

function spansOf(line: Json): Span[] {
  return (line.resourceSpans ?? []).flatMap(({ resource, scopeSpans }: Json) =>
    scopeSpans.flatMap(({ spans }: Json) =>
      spans.map((span: Json) => ({
        ...span,
        attributes: attributesOf(span.attributes),
        resource: attributesOf(resource.attributes),
      })),
    ),
  );
}

function metricsOf(line: Json): string[] {
  return (line.resourceMetrics ?? []).flatMap(({ scopeMetrics }: Json) =>
    scopeMetrics.flatMap(({ metrics }: Json) => metrics.map(({ name }: Json) => name)),
  );
}

function attributesOf(list: Json): Record<string, unknown> {
  return Object.fromEntries((list ?? []).map(({ key, value }: Json) => [key, Object.values(value)[0]]));
}
