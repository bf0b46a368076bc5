/** OpenTelemetry in real processes, on real Express, with a real Collector that reads what they send. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { Agent, get, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Collector, noCollector, type Span, startCollector, startHanging } from './collector';
import { newFolder, type Row, rowsOf } from './engine';
import { registerFile, type Served, serve } from './otel-child';
import { noMongo, noRedis, startMongo, startRedis } from './peers';
import { pipelined } from './servers';
import { freePort, until } from './waiting';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const ASKED = { headers: { traceparent: `00-${TRACE}-${PARENT}-01` } };
const imported = ['--import', registerFile];

let collector: Collector;
beforeAll(async () => {
  if (noCollector === '') collector = await startCollector();
});
afterAll(() => collector?.stop());

/** Spans leave only when the process ends: what the Collector has then was flushed. */
const late = () => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  OTEL_BSP_SCHEDULE_DELAY: '3600000',
  REZ_APP: `app-${Math.random()}`,
});

const serverSpan = (spans: readonly Span[], name: string) =>
  spans.find((span) => span.kind === 2 && span.name === name);

async function terminate(served: Served): Promise<[number | null, NodeJS.Signals | null]> {
  served.child.kill('SIGTERM');
  return served.ended;
}

const line2 = existsSync(join(import.meta.dirname, 'otel-2/node_modules/@opentelemetry/sdk-node'));
const noLine2 = line2 ? '' : ' (skipped: run npm ci in tests/otel-2)';
const apps = [
  { what: 'an ES app on line 3', file: 'otel-3/app.mjs', args: imported, skip: noCollector },
  {
    what: 'a CommonJS app on line 3',
    file: 'otel-3/app.cjs',
    args: ['--require', registerFile.replace(/js$/, 'cjs')],
    skip: noCollector,
  },
  { what: 'a CommonJS app whose first line starts it', file: 'otel-3/first.cjs', args: [], skip: noCollector },
  { what: 'an ES app on line 2', file: 'otel-2/app.mjs', args: imported, skip: noCollector || noLine2 },
  { what: 'a CommonJS app on line 2', file: 'otel-2/app.cjs', args: imported, skip: noCollector || noLine2 },
];

for (const { what, file, args, skip } of apps) {
  test.skipIf(skip !== '')(`${what} continues the caller's trace, and its error has that trace${skip}`, async () => {
    const environment = { ...late(), REZ_RELEASE: 'rezapp-api@2.4.1' };
    const app = await serve(file, args, environment);
    await fetch(`${app.url}/products/17`, ASKED);
    const failed = await fetch(`${app.url}/fail/3`, ASKED);
    const { event } = (await failed.json()) as { event: string };
    const heard = (await (await fetch(`${app.url}/out`, ASKED)).json()) as Record<string, string>;
    await fetch(`${app.url}/health`, ASKED);
    // The instrumentation wraps the routers of the app, and its labels stay what they are.
    const scraped = await (await fetch(`${app.url}/metrics`)).text();
    expect(scraped).toContain('route="/products/:id"');
    await fetch(`${app.url}/close`);
    await terminate(app);

    const ours = await until(() => {
      const spans = collector.spans().filter((span) => span.resource['service.name'] === environment.REZ_APP);
      return serverSpan(spans, 'GET /out') && spans;
    });
    const product = serverSpan(ours, 'GET /products/:id');
    expect(product).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
    expect(product?.attributes['http.route']).toBe('/products/:id');
    expect(product?.resource).toMatchObject({
      'service.version': '2.4.1',
      'deployment.environment.name': 'production',
    });
    expect(ours.filter((span) => String(span.attributes['url.path']).includes('health'))).toEqual([]);

    // The client span of the call is the parent of the span on the other side.
    const client = ours.find((span) => span.kind === 3);
    expect(heard.traceparent).toBe(`00-${TRACE}-${client?.spanId}-01`);
    expect(serverSpan(ours, 'GET /headers')?.parentSpanId).toBe(client?.spanId);

    const row = rowsOf(app.folder).find(({ id }) => id === event);
    const error = serverSpan(ours, 'GET /fail/:id');
    expect(error?.traceId).toBe(TRACE);
    expect(row?.json.trace).toMatchObject({ trace_id: TRACE });
    const inTrace = ours.filter(({ traceId }) => traceId === TRACE).map(({ spanId }) => spanId);
    expect(inTrace).toContain((row?.json.trace as { span_id?: string } | undefined)?.span_id);
    expect(app.output.stderr).not.toMatch(/Error:|rejection/);
  });
}

for (const { what, file, args, skip } of apps.filter(({ file }) => file.endsWith('app.mjs'))) {
  test.skipIf(skip !== '')(`${what} has the row of each pipelined request below its own span${skip}`, async () => {
    const app = await serve(file, args, late());
    const traces = ['1', '2', '3'].map((digit) => digit.repeat(32));
    const paths = ['/late/1', '/fail/2', '/late/3'];
    // The first thing that is recorded opens the engine.
    await fetch(`${app.url}/fail/0`);
    // The second is answered at once, and its answer waits for the first.
    await pipelined(
      Number(new URL(app.url).port),
      paths.map((path, at) => [path, `traceparent: 00-${traces[at]}-${PARENT}-01`]),
    );
    await fetch(`${app.url}/close`);
    await terminate(app);
    const found = rowsOf(app.folder).filter(({ json }) => json.op === 'http.server');
    const byPath = paths.map((path) => found.find(({ json }) => (json.attrs as Row['json'])['url.path'] === path));
    expect(byPath.map((row) => (row?.json.trace as { trace_id?: string } | undefined)?.trace_id)).toEqual(traces);
  });

  test.skipIf(skip !== '')(`${what} has no value of a query and no password in a span${skip}`, async () => {
    const environment = late();
    const app = await serve(file, args, environment);
    await fetch(`${app.url}/pay/1?token=PLANTED-6&page=2#PLANTED-7`, { method: 'POST' });
    // What a proxy gets: the whole address in place of the path.
    await new Promise((resolve, reject) => {
      const path = `http://user:PLANTED-8@127.0.0.1/pay/2?token=PLANTED-9`;
      request(app.url, { method: 'POST', path }, (response) => response.resume().on('end', resolve))
        .on('error', reject)
        .end();
    });
    await fetch(`${app.url}/fail/3?token=PLANTED-10`);
    await fetch(`${app.url}/close`);
    await terminate(app);
    const mine = ({ resource }: Span) => resource['service.name'] === environment.REZ_APP;
    const ours = await until(() => {
      const spans = collector.spans().filter(mine);
      return spans.filter(({ name }) => name === 'POST /pay/:id').length === 2 && spans;
    });
    expect(collector.text()).not.toContain('PLANTED');
    expect(JSON.stringify(rowsOf(app.folder))).not.toContain('PLANTED');
    const attributes = (kind: number, name: string) =>
      ours.filter((span) => span.kind === kind).map((span) => span.attributes[name]);
    expect(new Set(attributes(2, 'url.path'))).toEqual(new Set(['/pay/1', '/pay/2', '/headers', '/fail/3']));
    expect(new Set(attributes(2, 'url.query'))).toEqual(
      new Set(['token&page', 'token', 'apikey&page', 'page&apikey', 'apikey']),
    );
    const calls = ['?apikey&page', '?page&apikey'].map((names) => `${app.url}/headers${names}`);
    expect(new Set(attributes(3, 'url.full'))).toEqual(new Set([...calls, 'http://127.0.0.1/headers?apikey']));
  });
}

describe.skipIf(noCollector !== '')(`with a Collector${noCollector}`, () => {
  test("OpenTelemetry's own variables win over the name and the release of the service", async () => {
    const name = `own-${Math.random()}`;
    const app = await serve('otel-3/app.cjs', imported, {
      ...late(),
      OTEL_RESOURCE_ATTRIBUTES: `service.version=9.9,service.name=${name},team=cart`,
    });
    await fetch(`${app.url}/products/1`);
    await terminate(app);
    const span = await until(() => collector.spans().find(({ resource }) => resource['service.name'] === name));
    expect(span.resource).toMatchObject({
      'service.version': '9.9',
      team: 'cart',
      'deployment.environment.name': 'production',
    });
  });

  test('SIGTERM sends the spans that are left, and the process ends by the signal', async () => {
    const environment = late();
    const app = await serve('otel-3/app.mjs', imported, environment);
    await fetch(`${app.url}/products/5`);
    expect(await terminate(app)).toEqual([null, 'SIGTERM']);
    await until(() => collector.spans().some(({ resource }) => resource['service.name'] === environment.REZ_APP));
    await until(() => collector.metrics().some(({ name }) => name === 'nodejs.eventloop.utilization'));
  });

  test('an app that has its own listener for SIGTERM ends by itself, with its own code', async () => {
    const app = await serve('otel-3/own-signal.cjs', imported, late());
    await fetch(`${app.url}/products/5`, { headers: { connection: 'close' } });
    expect(await terminate(app)).toEqual([7, null]);
  });

  test('an app that sends itself the signal again when it has closed ends by the signal', async () => {
    const app = await serve('otel-3/own-signal.cjs', imported, { ...late(), RAISES: '1' });
    expect(await terminate(app)).toEqual([null, 'SIGTERM']);
    expect(app.output.stderr).toBe('');
  });

  test.each([
    ['', [null, 'SIGTERM']],
    ['1', [7, null]],
  ])(
    'gracefulShutdown sends the spans and stores the rows under a client that keeps its connection (own listener: %j)',
    async (LISTENS, end) => {
      const environment = { ...late(), LISTENS };
      const app = await serve('otel-3/graceful.mjs', imported, environment);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const status = await new Promise((resolve, reject) => {
        get(`${app.url}/fail/3`, { ...ASKED, agent }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        }).on('error', reject);
      });
      expect(status).toBe(500);
      expect(await terminate(app)).toEqual(end);
      agent.destroy();
      const mine = ({ resource }: Span) => resource['service.name'] === environment.REZ_APP;
      const span = await until(() => serverSpan(collector.spans().filter(mine), 'GET /fail/:id'));
      expect(span.traceId).toBe(TRACE);
      const kinds = rowsOf(app.folder).map(({ kind, json }) => [kind, (json.trace as { trace_id: string }).trace_id]);
      expect(kinds.sort()).toEqual([
        ['error', TRACE],
        ['span', TRACE],
      ]);
      expect(app.output.stderr).toBe('');
    },
  );

  test('a process that ends because nothing is left to do sends its spans', async () => {
    const environment = late();
    const job = await serve('otel-3/short.mjs', imported, environment);
    expect(await job.ended).toEqual([0, null]);
    const named = ({ name, resource }: Span) => name === 'nightly' && resource['service.name'] === environment.REZ_APP;
    await until(() => collector.spans().some(named));
  });

  test("a line of the app's own pino or winston has the ids of the span", async () => {
    const app = await serve('otel-3/app.mjs', imported, late());
    await fetch(`${app.url}/log`, ASKED);
    const lines = () => app.output.stdout.match(/^\{.*in a request.*$/gm) ?? [];
    await until(() => lines().length === 2);
    for (const line of lines()) {
      expect(JSON.parse(line)).toMatchObject({ trace_id: TRACE, span_id: expect.stringMatching(/^[0-9a-f]{16}$/) });
    }
    await terminate(app);
  });

  test('a share of 0 traces nothing that begins here, and what the caller has sampled', async () => {
    const environment = late();
    const app = await serve('otel-3/app.cjs', ['--import', sampleFile()], environment);
    await fetch(`${app.url}/products/1`);
    await fetch(`${app.url}/products/2`, ASKED);
    await terminate(app);
    const ours = () => collector.spans().filter(({ resource }) => resource['service.name'] === environment.REZ_APP);
    await until(() => ours().length > 0);
    expect(new Set(ours().map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  });

  const noStores = noRedis || noMongo;
  test.skipIf(noStores !== '')(`a query and a command are spans of the request's trace${noStores}`, async () => {
    const [redis, mongodb] = [await startRedis(), await startMongo()];
    const environment = { ...late(), REDIS: redis.url, MONGODB: `${mongodb.url}/shop` };
    const app = await serve('otel-3/app.mjs', imported, environment);
    await fetch(`${app.url}/stored`, ASKED);
    await terminate(app);
    const systems = () =>
      collector
        .spans()
        .filter(({ resource, traceId }) => traceId === TRACE && resource['service.name'] === environment.REZ_APP)
        .map(({ attributes }) => attributes['db.system.name'] ?? attributes['db.system']);
    await until(() => systems().includes('mongodb') && systems().includes('redis'));
    await Promise.all([redis.stop(), mongodb.stop()]);
  });
});

test('a Collector that is down is one sentence, and the app answers', async () => {
  const app = await serve('otel-3/app.cjs', imported, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_BSP_SCHEDULE_DELAY: '10',
  });
  await until(async () => {
    expect((await fetch(`${app.url}/products/1`)).status).toBe(200);
    return app.output.stderr.includes('are not delivered');
  });
  expect(await terminate(app)).toEqual([null, 'SIGTERM']);
  // Which error comes first is the machine's choice: the connection is refused, or ends while it is made.
  expect(app.output.stderr.match(/spans and metrics are not delivered \(/g)).toHaveLength(1);
});

test('a Collector that never answers does not hold close longer than its limit', async () => {
  const hanging = await startHanging();
  const app = await serve('otel-3/app.cjs', imported, {
    OTEL_EXPORTER_OTLP_ENDPOINT: hanging.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: '600000',
    CLOSE_MS: '50',
  });
  await fetch(`${app.url}/products/1`);
  // The exporter itself waits for ten minutes, so a close that waits for it answers after this signal.
  expect(await (await fetch(`${app.url}/close`, { signal: AbortSignal.timeout(45_000) })).text()).toBe('closed');
  expect(await terminate(app)).toEqual([null, 'SIGTERM']);
  hanging.close();
});

test('an app without OpenTelemetry is one sentence, and runs', () => {
  const folder = newFolder();
  cpSync(join(registerFile, '..'), join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'lib/package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'app.cjs'), 'console.log("runs")');
  const environment = { ...process.env, REZ_FOLDER: folder };
  for (const args of [
    ['--import', './lib/register.js'],
    ['--require', './lib/register.cjs'],
  ]) {
    const run = spawnSync(process.execPath, [...args, 'app.cjs'], { cwd: folder, env: environment, encoding: 'utf8' });
    expect(run).toMatchObject({ status: 0, stdout: 'runs\n' });
    expect(run.stderr.match(/@opentelemetry\/api is not installed/g)).toHaveLength(1);
  }
});

/** A preload that asks for a share of the traces. */
function sampleFile(): string {
  const file = join(newFolder(), 'sample.mjs');
  const index = JSON.stringify(join(registerFile, '../index.js'));
  writeFileSync(file, `import { startTelemetry } from ${index}; startTelemetry({ tracesSampleRate: 0 });`);
  return file;
}
