/** One trace from the tap to the query: the code of the example app calls the shop's API, and all of it is sent to one Collector. */
import { fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Services, startServices } from '../example/services.mjs';
import { addonFile, newFolder } from './engine';
import { openPhone, type Phone } from './phone.mjs';
import { until } from './waiting';

const WAIT_MS = 60_000;
const folder = newFolder();

let services: Services;
let stopApi: () => Promise<void>;
let phone: Phone;

beforeAll(async () => {
  services = await startServices(folder);
  if (services.missing.length > 0) return;
  const { url, stop } = await startApi();
  stopApi = stop;
  const endpoint = services.variables.OTEL_EXPORTER_OTLP_ENDPOINT ?? '';
  phone = await openPhone({ addon: addonFile, folder: join(folder, 'phone'), endpoint, url });
});

afterAll(async () => {
  await phone?.close(WAIT_MS);
  await stopApi?.();
  await services.stop();
});

async function startApi(): Promise<{ url: string; stop: () => Promise<void> }> {
  const home = join(import.meta.dirname, '..');
  const child = fork(join(home, 'example/server.mjs'), {
    cwd: home,
    execArgv: ['--import', '@rez/monitor-node/register'],
    env: {
      ...process.env,
      ...services.variables,
      VITEST: '',
      REZ_APP: 'rez-shop-api',
      NODE_ENV: 'production',
      PORT: '0',
      LOG_LEVEL: 'silent',
      REZ_FOLDER: join(folder, 'api'),
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { port: number }).port));
    child.once('exit', (code) => reject(new Error(`the API ended with ${code}`)));
  });
  child.removeAllListeners('exit');
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = () => {
    child.kill('SIGTERM');
    return ended;
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}

/** A span or a log record of the Collector's file. */
interface Received {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  /** The name of a span, the event of a log. */
  name: string;
  scope: string;
}

function received(): Received[] {
  if (!existsSync(services.traces)) return [];
  const lines = readFileSync(services.traces, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'));
  return lines.flatMap((line) => {
    const { resourceSpans = [], resourceLogs = [] } = JSON.parse(line);
    return [...resourceSpans, ...resourceLogs].flatMap((of) => {
      const service = attribute(of.resource, 'service.name');
      return [...(of.scopeSpans ?? []), ...(of.scopeLogs ?? [])].flatMap((inner) =>
        [...(inner.spans ?? []), ...(inner.logRecords ?? [])].map((one) => ({
          service,
          traceId: one.traceId ?? '',
          spanId: one.spanId ?? '',
          parentSpanId: one.parentSpanId ?? '',
          name: one.name ?? one.eventName ?? attribute(one, 'event.name'),
          scope: inner.scope?.name ?? '',
        })),
      );
    });
  });
}

function attribute(of: { attributes?: { key: string; value: { stringValue?: string } }[] }, name: string): string {
  return of.attributes?.find(({ key }) => key === name)?.value.stringValue ?? '';
}

test('a tap, the call of the app, the server, its queries to MongoDB and Redis and its error have one trace', async ({
  skip,
}) => {
  if (services.missing.length > 0) skip(`not installed: ${services.missing.join(', ')}`);
  await phone.getProduct('3');
  await phone.putInCart(3, 2);
  await phone.pay(320, 'bug').catch(() => undefined);
  expect((await phone.flush(WAIT_MS)).error).toBeUndefined();
  await stopApi();

  const calls = await until(() => {
    const all = received().filter(({ service, scope }) => service === 'rez-shop' && scope === 'rez-monitor');
    const found = ['GET /products/{id}', 'POST /cart', 'POST /pay'].map((wanted) =>
      all.find(({ name }) => name === wanted),
    );
    return found.every((call) => call !== undefined) ? found : undefined;
  });
  const [product, cart, pay] = calls.map((call) => ofServer(call?.traceId ?? ''));
  // Each server span is below the call of the app, and the queries are below the server span.
  for (const [at, name] of ['GET /products/:id', 'POST /cart', 'POST /pay'].entries()) {
    const server = [product, cart, pay][at]?.find(({ scope }) => scope === HTTP);
    expect(server).toMatchObject({ name, parentSpanId: calls[at]?.spanId });
  }
  expect(names(product, MONGODB)).toEqual(['find products']);
  // A cart and a payment: the call of the app, the server, MongoDB and Redis have one trace.
  for (const trace of [cart, pay]) {
    expect(names(trace, MONGODB)).toEqual(['find products']);
    expect(names(trace, IOREDIS)).toContain('hgetall');
  }
  // The error comes from the queue, belongs to the span of its request, and has the trace of the queries before it.
  const error = pay?.find(({ name }) => name === 'exception');
  expect(error).toMatchObject({ scope: 'rez-monitor', spanId: pay?.find(({ scope }) => scope === HTTP)?.spanId });
});

const HTTP = '@opentelemetry/instrumentation-http';
const MONGODB = '@opentelemetry/instrumentation-mongodb';
const IOREDIS = '@opentelemetry/instrumentation-ioredis';

const ofServer = (trace: string) =>
  received().filter(({ service, traceId }) => service === 'rez-shop-api' && traceId === trace);

const names = (all: Received[] | undefined, wanted: string) =>
  all?.filter(({ scope }) => scope === wanted).map(({ name }) => name);
