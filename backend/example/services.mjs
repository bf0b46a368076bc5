/** Redis, a server of MongoDB's protocol and an OpenTelemetry Collector on this machine, for the shop's API and its tests. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';

/** Longer than any of them takes to start on a busy machine. */
const START_MS = 60_000;

/**
 * Starts what is installed: `redis-server`, and the programs in `REZ_FERRETDB` and `REZ_OTELCOL`. What the environment names already
 * (`REDIS_URL`, `MONGODB_URI`, `OTEL_EXPORTER_OTLP_ENDPOINT`) is used as it is.
 *
 * Returns the variables for the API, the file in which the Collector writes, what is missing, and `stop`.
 */
export async function startServices(folder, environment = process.env) {
  const running = [];
  const found = {};
  const missing = [];
  const start = async (variable, name, program, make) => {
    if (environment[variable]) {
      found[variable] = environment[variable];
      return;
    }
    const home = path.join(folder, name);
    mkdirSync(home, { recursive: true });
    const port = await freePort();
    const { options, url } = program ? make(port, home) : {};
    if (url && (await answers(run(running, program, options, home), port))) found[variable] = url;
    else missing.push(name);
  };
  await start('REDIS_URL', 'redis', 'redis-server', (port, home) => ({
    options: ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--save', ''],
    url: `redis://127.0.0.1:${port}`,
  }));
  await start('MONGODB_URI', 'mongodb', environment.REZ_FERRETDB, (port, home) => ({
    options: [String(port), home],
    url: `mongodb://127.0.0.1:${port}/shop`,
  }));
  const traces = path.join(folder, 'collector', 'received.json');
  await start('OTEL_EXPORTER_OTLP_ENDPOINT', 'collector', environment.REZ_OTELCOL, (port, home) => {
    const config = path.join(home, 'config.yaml');
    writeFileSync(config, collectorConfig(port, traces));
    return { options: ['--config', config], url: `http://127.0.0.1:${port}` };
  });
  return {
    variables: found,
    traces,
    missing,
    async stop() {
      await Promise.all(running.map(ended));
    },
  };
}

const collectorConfig = (port, file) => `
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${port}
exporters:
  file:
    path: ${file}
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    traces: {receivers: [otlp], exporters: [file]}
    logs: {receivers: [otlp], exporters: [file]}
    metrics: {receivers: [otlp], exporters: [file]}
`;

function run(running, program, options, home) {
  const child = spawn(program, options, { cwd: home, stdio: 'ignore' });
  // A program that is not installed emits an error.
  child.on('error', () => undefined);
  running.push(child);
  return child;
}

/** Whether a program listens on its port before it ends. */
async function answers(child, port) {
  const end = performance.now() + START_MS;
  while (child.pid !== undefined && child.exitCode === null && performance.now() < end) {
    if (await opens(port)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function opens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (open) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => done(true)).once('error', () => done(false));
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function ended(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return undefined;
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGTERM');
  });
}
