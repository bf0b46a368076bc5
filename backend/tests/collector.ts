/** A real OpenTelemetry Collector: it takes OTLP over http, and writes what it got to a file. `REZ_OTELCOL` is the program. */
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { newFolder } from './engine';
import { type Peer, startPeer } from './peers';

const program = process.env.REZ_OTELCOL ?? '';

/** Why tests with a Collector are skipped, for the end of their names; empty if they run. */
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

/** A running Collector, and what is in its file so far. */
export interface Collector extends Peer {
  /** The file as it is. */
  text(): string;
  spans(): Span[];
  /** Logs as OTLP has them, one for each resource. */
  logs(): Json[];
  /** Metrics as OTLP has them. */
  metrics(): Json[];
}

// biome-ignore lint/suspicious/noExplicitAny: a document of the Collector
type Json = any;

/** Starts a Collector. */
export async function startCollector(): Promise<Collector> {
  const folder = newFolder();
  const file = join(folder, 'out.json');
  const config = join(folder, 'config.yaml');
  const peer = await startPeer('http', program, (port) => {
    writeFileSync(
      config,
      `receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {file: {path: "${file}", flush_interval: 50ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
    metrics: {receivers: [otlp], exporters: [file]}
    logs: {receivers: [otlp], exporters: [file]}
`,
    );
    return ['--config', config];
  });
  return {
    ...peer,
    text: () => (existsSync(file) ? readFileSync(file, 'utf8') : ''),
    spans: () => linesOf(file).flatMap(spansOf),
    logs: () => linesOf(file).flatMap(({ resourceLogs = [] }) => resourceLogs),
    metrics: () =>
      linesOf(file)
        .flatMap(({ resourceMetrics = [] }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics),
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

/** An attribute list as an object. */
export function attributesOf(list: Json): Record<string, unknown> {
  return Object.fromEntries((list ?? []).map(({ key, value }: Json) => [key, Object.values(value)[0]]));
}
