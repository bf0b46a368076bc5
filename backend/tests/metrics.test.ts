/** The metrics of the guide's dashboard, on real servers, read as Prometheus reads them. */
import { spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { cpSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import express4 from 'express4';
import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import { register } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setLimits } from '../src/core/limits';
import { setLogger } from '../src/core/logger';
import {
  close,
  healthRouter,
  init,
  metricsHandler,
  metricsRouter,
  recordPayment,
  setupDatabaseMonitoring,
  setupQueryMonitoring,
  trackWebSockets,
} from '../src/index';
import { run as runChild } from './child';
import { newFolder } from './engine';
import { noMongo, noRedis, startMongo, startRedis } from './peers';
import { until } from './waiting';

const servers: Server[] = [];
const lines: string[] = [];
let scrapeUrl: string;

beforeAll(async () => {
  const write = (line: string) => lines.push(line);
  setLogger({ info: write, warn: write, error: write });
  const app = express();
  app.use(metricsRouter());
  scrapeUrl = `${await listen(createServer(app))}/metrics`;
});
afterAll(() => {
  for (const server of servers) server.close();
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The samples of a metric: labels as text, and the value. */
async function samples(name: string): Promise<Map<string, number>> {
  const text = await (await fetch(scrapeUrl)).text();
  const found = text.split('\n').flatMap((line) => {
    const [, metric, labels, value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return metric === name ? [[labels ?? '', Number(value)] as const] : [];
  });
  return new Map(found);
}

const sample = async (name: string, labels = '') => (await samples(name)).get(labels);

const throwing = () => {
  throw new Error('no');
};

for (const [version, make] of [
  ['5', express],
  ['4', express4 as unknown as typeof express],
] as const) {
  test(`Express ${version}: a label is the route as it is written, of an error inside routers too, and never the path`, async () => {
    const app = make();
    const root = `/v${version}`;
    const [outer, inner] = [make.Router(), make.Router()];
    inner.get('/items/:id', (_request, response) => void response.send('ok'));
    inner.get('/fail/:id', throwing);
    inner.get('/', (_request, response) => void response.send('all'));
    outer.use('/carts/:cart', inner);
    app.use(root, outer);
    const sub = make();
    sub.get('/users/:id', (_request, response) => void response.send('user'));
    app.use(`${root}/admin/:team`, sub);
    app.get(new RegExp(`^${root}/raw`), (_request, response) => void response.send('raw'));
    app.use(((_error, _request, response, _next) => response.status(500).end()) as express.ErrorRequestHandler);
    const url = await listen(createServer(app));
    for (const path of [
      '/carts/a%20b/items/1',
      '/carts/2/items/2?x=1',
      '/carts/7/fail/7',
      '/carts/7',
      '/admin/7/users/3',
    ]) {
      await (await fetch(`${url}${root}${path}`)).text();
    }
    // The first request to a route whose parameter is the same word as its path says nothing of the next one.
    inner.get('/same', (_request, response) => void response.send('ok'));
    for (const cart of ['carts', '7']) await (await fetch(`${url}${root}/carts/${cart}/same`)).text();
    await (await fetch(`${url}${root}/raw/17`)).text();
    const series = (route: string, status = 200) => `method="GET",route="${route}",status="${status}"`;
    await until(() => sample('http_requests_total', series(`/^\\\\/v${version}\\\\/raw/`)));
    expect(await sample('http_requests_total', series(`${root}/carts/:cart/items/:id`))).toBe(2);
    expect(await sample('http_requests_total', series(`${root}/carts/:cart/fail/:id`, 500))).toBe(1);
    expect(await sample('http_requests_total', series(`${root}/carts/:cart`))).toBe(1);
    expect(await sample('http_requests_total', series(`${root}/carts/:cart/same`))).toBeGreaterThan(0);
    expect(await sample('http_requests_total', series(`${root}/admin/:team/users/:id`))).toBe(1);
    expect(await sample('http_request_duration_seconds_count', series(`${root}/carts/:cart/items/:id`))).toBe(2);
  });
}

for (const [version, make] of [
  ['5', express],
  ['4', express4 as unknown as typeof express],
] as const) {
  test(`Express ${version}: a label holds no word of a path that a middleware has changed`, async () => {
    const app = make();
    const root = `/rewrite${version}`;
    app.use((request, _response, next) => {
      request.url = request.url.replace('/rw/', '/real/');
      next();
    });
    const inner = make.Router();
    inner.get(`/x${version}`, (_request, response) => void response.send('ok'));
    inner.get(`/fails${version}`, throwing);
    app.use(`${root}/real/:a`, inner);
    app.use([`${root}/one`, `${root}/two`], inner);
    app.use(new RegExp(`^${root}/users/\\d+`), inner);
    app.use(((_error, _request, response, _next) => response.status(500).end()) as express.ErrorRequestHandler);
    const url = await listen(createServer(app));
    const words = ['PLANTED', 'word', 'secret'];
    for (const word of words) {
      await (await fetch(`${url}${root}/rw/${word}/x${version}`)).text();
      await (await fetch(`${url}${root}/rw/${word}/fails${version}`)).text();
    }
    for (const path of ['/real/real', '/real/7', '/two', '/users/42'])
      await (await fetch(`${url}${root}${path}/x${version}`)).text();
    const series = (route: string, status = 200) => `method="GET",route="${route}",status="${status}"`;
    await until(async () => (await sample('http_requests_total', series(`${root}/two/x${version}`))) === 1);
    expect(await sample('http_requests_total', series(`/:id/:id/:id/x${version}`))).toBe(words.length);
    expect(await sample('http_requests_total', series(`/:id/:id/:id/fails${version}`, 500))).toBe(words.length);
    expect(await sample('http_requests_total', series(`${root}/real/:a/x${version}`))).toBe(2);
    const labels = [...(await samples('http_requests_total')).keys()].join('\n');
    for (const raw of [...words, `${root}/:a/real`, 'users/42']) expect(labels).not.toContain(raw);
  });
}

test('one router under two paths has the label of the path that was asked', async () => {
  const app = express();
  const router = express.Router();
  router.get('/twice', (_request, response) => void response.send('ok'));
  app.use('/one', router);
  app.use('/two', router);
  const url = await listen(createServer(app));
  await (await fetch(`${url}/two/twice`)).text();
  await (await fetch(`${url}/one/twice`)).text();
  await until(async () => (await sample('http_requests_total', 'method="GET",route="/one/twice",status="200"')) === 1);
  expect(await sample('http_requests_total', 'method="GET",route="/two/twice",status="200"')).toBe(1);
});

test('10,000 paths and 100 words as methods make one route and one method', async () => {
  const url = new URL(await listen(createServer((_request, response) => void response.writeHead(404).end())));
  const before = await samples('http_requests_total');
  const socket = connect(Number(url.port), url.hostname);
  await once(socket, 'connect');
  socket.resume();
  const methods = ['PURGE', 'PROPFIND', 'MKCOL', 'LOCK', 'REPORT'];
  for (let at = 0; at < 10_000; at++) socket.write(`GET /products/${at}-${Math.random()} HTTP/1.1\r\nHost: a\r\n\r\n`);
  for (let at = 0; at < 100; at++) socket.write(`${methods[at % 5]} /${at} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const unknown = (method: string) => `method="${method}",route="unknown",status="404"`;
  await until(async () => (await sample('http_requests_total', unknown('other'))) === 100);
  const after = await samples('http_requests_total');
  expect(after.get(unknown('GET'))).toBe(10_000 + (before.get(unknown('GET')) ?? 0));
  expect(after.size - before.size).toBeLessThanOrEqual(2);
  socket.destroy();
});

test('a request whose client has gone is counted as 499, and a probe is not counted', async () => {
  const url = await listen(createServer(() => undefined));
  const request = get(`${url}/hangs`);
  request.on('error', () => undefined);
  request.on('socket', (socket) => socket.on('connect', () => setImmediate(() => request.destroy())));
  await until(async () =>
    [...(await samples('http_requests_total')).keys()].some((labels) => labels.includes('"499"')),
  );
  const app = express();
  app.use('/api', healthRouter());
  app.get('/scrape', metricsHandler());
  const probed = await listen(createServer(app));
  const before = await samples('http_requests_total');
  for (const path of ['/api/health', '/api/ready', '/scrape'])
    expect((await fetch(`${probed}${path}`)).status).toBe(200);
  await (await fetch(`${probed}/none`)).text();
  const none = 'method="GET",route="unknown",status="404"';
  await until(async () => ((await sample('http_requests_total', none)) ?? 0) > (before.get(none) ?? 0));
  expect([...(await samples('http_requests_total')).keys()]).toEqual([...before.keys()]);
});

test('a payment that failed is counted as tried and not as successful', async () => {
  recordPayment(true);
  recordPayment(false);
  recordPayment(true);
  expect(await sample('payments_total')).toBe(3);
  expect(await sample('payments_successful')).toBe(2);
});

test('a WebSocket is counted while it is open, and an http server without any answers upgrades as before', async () => {
  const server = createServer((_request, response) => void response.end('plain'));
  const url = new URL(await listen(server));
  trackWebSockets(server);
  const upgrade = async () => {
    const socket = connect(Number(url.port), url.hostname);
    socket.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [first] = await once(socket, 'data');
    return { socket, first: String(first) };
  };
  const plain = await upgrade();
  expect(plain.first).toContain('200 OK');
  plain.socket.destroy();
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket
      .on('error', () => undefined)
      .on('end', () => socket.end())
      .resume();
  });
  const [one, two] = [await upgrade(), await upgrade()];
  expect(one.first).toContain('101');
  expect(await sample('websocket_connections_total')).toBe(2);
  one.socket.destroy();
  await until(async () => (await sample('websocket_connections_total')) === 1);
  two.socket.destroy();
  await until(async () => (await sample('websocket_connections_total')) === 0);
});

test('a server that tells connections, as ws does, is counted by them', async () => {
  const server = createNetServer((socket) => socket.resume()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  trackWebSockets(server);
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await until(async () => (await sample('websocket_connections_total')) === 1);
  socket.destroy();
  await until(async () => (await sample('websocket_connections_total')) === 0);
  server.close();
});

test.skipIf(noRedis !== '')(
  `the hit rate counts commands that read values, and of them those that found one${noRedis}`,
  async () => {
    const server = await startRedis();
    const redis = new Redis(server.url);
    redis.on('error', () => undefined);
    await redis.set('cart', '1');
    await redis.get('cart');
    await redis.get('none');
    await redis.hget('none', 'field');
    await redis.mget('cart', 'none');
    await redis.pipeline().get('cart').get('none').exec();
    await redis.hget('cart', 'field').catch(() => 'WRONGTYPE');
    expect(await sample('redis_commands_total')).toBe(6);
    expect(await sample('redis_hits_total')).toBe(2);
    redis.disconnect();
    await server.stop();
  },
);

test.skipIf(noMongo !== '')(
  `queries are counted by their command, and the pool shows its connections, once whoever watches${noMongo}`,
  async () => {
    const server = await startMongo();
    // Lines and rows end with the engine, and what is counted does not.
    init({ folder: newFolder() });
    setupQueryMonitoring(mongoose);
    await close(20_000);
    setupQueryMonitoring(mongoose);
    const end = setupDatabaseMonitoring(mongoose);
    await mongoose.connect(`${server.url}/shop`, { maxPoolSize: 7 });
    const carts = mongoose.connection.db?.collection('carts');
    await carts?.insertOne({ cart: 1 });
    await carts?.findOne({ cart: 1 });
    end();
    await close(20_000);
    await carts?.findOne({ cart: 2 });
    await mongoose.connection.db?.command({ ping: 1 });
    await carts
      ?.aggregate([{ $nonsense: 1 }])
      .toArray()
      .catch(() => 'refused');
    expect(Object.fromEntries(await samples('mongodb_queries_total'))).toEqual({
      'command="insert"': 1,
      'command="find"': 2,
      'command="aggregate"': 1,
    });
    // Of a replica set one server has all the work: a sum would hide that its pool is exhausted.
    const labels = `server="127.0.0.1:${server.port}"`;
    expect(await sample('mongodb_pool_connections_in_use', labels)).toBe(0);
    expect(await sample('mongodb_pool_connections_available', labels)).toBeGreaterThan(0);
    expect(await sample('mongodb_pool_connections_max', labels)).toBe(7);
    expect(await sample('mongodb_pool_waiting', labels)).toBe(0);
    await mongoose.disconnect();
    expect(await samples('mongodb_pool_connections_available')).toEqual(new Map());
    expect(await samples('mongodb_pool_connections_max')).toEqual(new Map());
    await server.stop();
  },
);

test.skipIf(noMongo !== '')(
  `a query above slowQueryMs is counted as slow by its command, a failed one too, and the others are not${noMongo}`,
  async () => {
    const server = await startMongo();
    const slow = async () => Object.fromEntries(await samples('mongodb_slow_queries_total'));
    const before = await slow();
    const mongo = new mongoose.mongo.MongoClient(server.url);
    setupQueryMonitoring(mongo);
    await mongo.connect();
    const carts = mongo.db('shop').collection('carts');
    init({ folder: newFolder(), limits: { slowQueryMs: 600_000 } });
    await carts.insertOne({ cart: 1 });
    expect(await slow()).toEqual(before);
    // Nothing here depends on how quick the machine is: each command takes longer than no time.
    setLimits({ slowQueryMs: 0 });
    await carts.insertOne({ cart: 2 });
    const refused = carts.aggregate([{ $nonsense: 1 }]).toArray();
    await refused.catch(() => 'refused');
    await mongo.db('shop').command({ ping: 1 });
    setLimits({ slowQueryMs: 100 });
    // On a busy machine commands of other tests are slow, too.
    const after = await slow();
    for (const command of ['insert', 'aggregate']) {
      const labels = `command="${command}"`;
      expect([command, (after[labels] ?? 0) - (before[labels] ?? 0)]).toEqual([command, 1]);
    }
    expect(Object.keys(after)).not.toContain('command="other"');
    await mongo.close();
    await close(20_000);
    await server.stop();
  },
);

test('a pool without a limit is never nearly exhausted: the limit is infinite, and ends with the pool', async () => {
  const events = Object.assign(new EventEmitter(), { db: () => undefined, options: { maxPoolSize: 0 } });
  setupQueryMonitoring(events);
  const [address, connectionId] = ['without-limit:27017', 1];
  for (const name of ['connectionPoolCreated', 'connectionReady', 'connectionCheckedOut'])
    events.emit(name, { address, connectionId });
  const labels = `{server="${address}"}`;
  const scrape = async () => (await fetch(scrapeUrl)).text();
  expect(await scrape()).toContain(`mongodb_pool_connections_max${labels} +Inf\n`);
  expect(await scrape()).toContain(`mongodb_pool_connections_in_use${labels} 1\n`);
  events.emit('connectionPoolClosed', { address });
  expect(await scrape()).not.toContain(address);
});

test('the getMore of a cursor that waits for news is no slow query, and one of a client that is new is counted', async () => {
  const events = Object.assign(new EventEmitter(), { db: () => undefined });
  setupQueryMonitoring(events);
  const done = (commandName: string, requestId: number, id: number) =>
    events.emit('commandSucceeded', { requestId, commandName, duration: 900, reply: { cursor: { id } } });
  const run = (command: Record<string, unknown>, requestId: number, id: number) => {
    const [commandName = ''] = Object.keys(command);
    events.emit('commandStarted', { requestId, commandName, databaseName: 'shop', command });
    done(commandName, requestId, id);
  };
  setLimits({ slowQueryMs: 0 });
  const labels = 'command="getMore"';
  const before = (await sample('mongodb_slow_queries_total', labels)) ?? 0;
  run({ aggregate: 'news', pipeline: [{ $changeStream: {} }] }, 1, 7);
  run({ getMore: 7, collection: 'news' }, 2, 7);
  expect((await sample('mongodb_slow_queries_total', labels)) ?? 0).toBe(before);
  run({ getMore: 8, collection: 'carts' }, 3, 8);
  // It began before the client was watched.
  done('getMore', 4, 8);
  expect(await sample('mongodb_slow_queries_total', labels)).toBe(before + 2);
  setLimits({ slowQueryMs: 100 });
});

test.skipIf(noMongo !== '')(`a client of an app without mongoose is counted too${noMongo}`, async () => {
  const server = await startMongo();
  const mongo = new mongoose.mongo.MongoClient(server.url, { maxPoolSize: 3 });
  setupQueryMonitoring(mongo);
  setupQueryMonitoring(mongo);
  const inserted = 'command="insert"';
  const before = (await sample('mongodb_queries_total', inserted)) ?? 0;
  // A client of the driver can connect again.
  for (const cart of [1, 2]) {
    await mongo.connect();
    await mongo.db('shop').collection('carts').insertOne({ cart });
    expect(await sample('mongodb_queries_total', inserted)).toBe(before + cart);
    expect(await sample('mongodb_pool_connections_max', `server="127.0.0.1:${server.port}"`)).toBe(3);
    await mongo.close();
  }
  expect(await samples('mongodb_pool_connections_max')).toEqual(new Map());
  await close(20_000);
  await server.stop();
});

test('two copies of the package count once', async () => {
  const copy = (await import(join(import.meta.dirname, '../lib/index.js'))) as typeof import('../src/index');
  expect(copy.startMetrics()).toBe(true);
  copy.recordPayment(true);
  const url = await listen(createServer(copy.metricsHandler()));
  expect(await (await fetch(url)).text()).toContain('nodejs_eventloop_lag_seconds');
  const paid = await sample('payments_total');
  recordPayment(true);
  expect(await sample('payments_total')).toBe((paid ?? 0) + 1);
  expect(lines.filter((line) => line.includes('of its own'))).toEqual([]);
});

test('things that are no server are a sentence, and nothing is thrown', () => {
  const refuses = {
    get on() {
      return throwing();
    },
  };
  for (const nothing of [null, undefined, 7, 'text', {}, refuses]) {
    trackWebSockets(nothing);
  }
  expect(lines.filter((line) => line.includes('nothing is counted'))).toHaveLength(1);
});

test('a registry that is given later is a sentence, and a metric that cannot be read is 500', async () => {
  const { Registry, Gauge } = await import('prom-client');
  const url = await listen(createServer(metricsHandler({ register: new Registry() })));
  expect(lines.join('\n')).toContain('the registry of the first call is used');
  new Gauge({ name: 'app_broken', help: 'Cannot be read.', collect: throwing });
  expect((await fetch(url)).status).toBe(500);
  register.removeSingleMetric('app_broken');
  expect((await fetch(url)).status).toBe(200);
});

test('a response that throws, and options that are null, are no unhandled rejection and no error of the app', async () => {
  const unhandled: unknown[] = [];
  const hear = (reason: unknown) => void unhandled.push(reason);
  process.on('unhandledRejection', hear);
  try {
    const ended = new Set<string>();
    const url = await listen(
      createServer((request, response) => {
        response.setHeader = () => {
          ended.add(request.url ?? '');
          setImmediate(() => request.socket.destroy());
          throw new Error('refused');
        };
        if (request.url === '/metrics') metricsHandler(null as never)(request, response);
        else healthRouter(null as never)(request, response);
      }),
    );
    const paths = ['/metrics', '/health', '/health/detailed', '/nowhere'];
    for (const path of paths) await fetch(`${url}${path}`).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect([...ended]).toEqual(paths);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', hear);
  }
});

test('without prom-client the answer is 501 with what to do', () => {
  const folder = newFolder();
  cpSync(join(import.meta.dirname, '../lib'), join(folder, 'lib'), { recursive: true });
  writeFileSync(join(folder, 'lib/package.json'), '{"type":"module"}');
  const script = `
    const { metricsHandler, recordPayment } = require('./lib/index.cjs');
    const Module = require('node:module');
    const { _resolveFilename: resolve } = Module;
    let tries = 0;
    Module._resolveFilename = function (name, ...rest) {
      if (name === 'prom-client') tries += 1;
      return resolve.call(this, name, ...rest);
    };
    recordPayment(true);
    const first = tries;
    recordPayment(true);
    console.log('looked for once:', first > 0 && tries === first);
    const server = require('node:http').createServer(metricsHandler()).listen(0, async () => {
      const answer = await fetch('http://127.0.0.1:' + server.address().port);
      console.log(answer.status, await answer.text());
      process.exit(0);
    });`;
  writeFileSync(join(folder, 'app.cjs'), script);
  const run = spawnSync(process.execPath, ['app.cjs'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, REZ_FOLDER: folder },
  });
  expect(run.stdout).toContain('501 prom-client is not installed: npm install prom-client');
  expect(run.stdout).toContain('looked for once: true');
  expect(run.stderr.match(/prom-client is not installed/g)).toHaveLength(1);
});

test('a registry that throws is a line with the cause, and not a package that is missing', async () => {
  const script = `
    const register = { getSingleMetric() { throw new Error('the registry is broken'); } };
    console.log(rez.startMetrics({ register }), rez.startMetrics());
    rez.recordPayment(true);
    const response = { setHeader() {}, end(text) { console.log(text); } };
    rez.metricsHandler()({}, response);`;
  const { stdout, stderr } = await runChild(script, {}, join(import.meta.dirname, '..'));
  expect(stdout).toBe('false false\nthere are no metrics: the log says why\n\n');
  expect(stderr.match(/the registry is broken/g)).toHaveLength(1);
  expect(stdout + stderr).not.toContain('not installed');
});

const noPromtool = spawnSync('promtool', ['--version']).status === 0 ? '' : ' (skipped: no promtool on the PATH)';
test.skipIf(noPromtool !== '')(`promtool finds fault with no metric of ours${noPromtool}`, async () => {
  const text = await (await fetch(scrapeUrl)).text();
  const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  // prom-client's own gauges of this name end with `_total`.
  const others = check.stderr.split('\n').filter((line) => line !== '' && !/^nodejs_active_\w+_total /.test(line));
  expect(others).toEqual([]);
});
