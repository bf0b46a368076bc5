import express5 from 'express';
import express4 from 'express4';
import Redis from 'ioredis';
import mongoose from 'mongoose';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { limits, setLimits } from '../src/core/limits';
import { accessOf } from '../src/health/access';
import { Checks } from '../src/health/checks';
import { type HealthOptions, healthRouter } from '../src/index';
import { noMongo, noRedis, startMongo, startRedis } from './peers';
import { atEnd, served } from './servers';
import { until } from './waiting';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe.each([
  ['Express 4', express4],
  ['Express 5', express5 as unknown as typeof express4],
])('%s', (_, express) => {
  async function api(options?: HealthOptions): Promise<string> {
    const app = express();
    app.use('/api', healthRouter(options));
    app.get('/api/other', (_request, response) => void response.send('other'));
    return `${(await served(app)).url}/api`;
  }

  test('the answer has the form of the guide, and nothing caches it', async () => {
    const answer = await fetch(`${await api({ checks: { search: () => 'up' } })}/health`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      status: 'healthy',
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      uptime: expect.any(Number),
      services: { database: 'unknown', redis: 'unknown', search: 'healthy' },
    });
  });

  test('a check that throws, rejects or is late is a service that is unhealthy, and the answer is 503', async () => {
    const checks = {
      throws: () => {
        throw new Error('password');
      },
      rejects: () => Promise.reject(null),
      hangs: () => new Promise(() => undefined),
      works: () => undefined,
    };
    const answer = await fetch(`${await api({ checks, limitMs: 20 })}/health/`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      status: 'degraded',
      services: { throws: 'unhealthy', rejects: 'unhealthy', hangs: 'unhealthy', works: 'healthy' },
    });
  });

  test('a check that returns no JSON costs its own stats, and not the answer', async () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const checks = {
      big: () => 7n,
      circle: () => circle,
      throws: () => ({
        toJSON() {
          throw new Error('no');
        },
      }),
      nothing: () => undefined,
      works: () => ({ lag: 7 }),
      none: null as never,
    };
    const answer = await fetch(`${await api({ checks })}/health/detailed`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      system: { uptime: expect.any(Number) },
      services: {
        big: { status: 'healthy', stats: null },
        circle: { status: 'healthy', stats: null },
        throws: { status: 'healthy', stats: null },
        nothing: { status: 'healthy', stats: null },
        works: { status: 'healthy', stats: { lag: 7 } },
        none: { status: 'unknown', stats: null },
      },
    });
  });

  test.each([null, { checks: null, mongoose: null, redis: null }])('options that are %j are none', async (options) => {
    const answer = await fetch(`${await api(options as never)}/health`);
    expect([answer.status, await answer.json()]).toMatchObject([200, { services: { database: 'unknown' } }]);
  });

  test('other paths and methods go on to the app', async () => {
    const url = await api();
    expect(await (await fetch(`${url}/other`)).text()).toBe('other');
    expect((await fetch(`${url}/health`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${url}/health/constructor`)).status).toBe(404);
    expect((await fetch(`${url}/health`, { method: 'HEAD' })).status).toBe(200);
  });

  test('the process is alive and ready', async () => {
    const url = await api();
    expect(await (await fetch(`${url}/live`)).json()).toEqual({ status: 'alive' });
    expect(await (await fetch(`${url}/ready`)).json()).toEqual({ status: 'ready' });
  });

  test('in production the details are for whoever has the token', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const url = `${await api({ token: 'open sesame' })}/health/detailed`;
    const refused = await fetch(url);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect((await fetch(url, { headers: { authorization: 'Bearer open' } })).status).toBe(401);
    const answer = await fetch(url, { headers: { authorization: 'Bearer open sesame' } });
    expect(answer.status).toBe(200);
    const status = async (authorization: string) => (await fetch(url, { headers: { authorization } })).status;
    expect([await status('bearer open sesame'), await status('BEARER  open sesame')]).toEqual([200, 200]);
    expect([await status('bearer OPEN sesame'), await status('Basic open sesame'), await status('Bearer')]).toEqual([
      401, 401, 401,
    ]);
    expect(await answer.json()).toMatchObject({
      status: 'healthy',
      system: {
        platform: process.platform,
        nodeVersion: process.version,
        memoryUsage: { rss: expect.any(Number) },
        cpuUsage: { user: expect.any(Number) },
        uptime: expect.any(Number),
      },
      services: { database: { status: 'unknown', stats: null }, redis: { status: 'unknown', stats: null } },
    });
  });

  test('in production and without a token they are for clients on this machine, not for those behind a proxy on it', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    const url = `${await api()}/health/detailed`;
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(url, { headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(404);
  });
});

test('the address of the socket decides, and what a client says of itself does not', () => {
  const from = (remoteAddress: string | undefined, headers: Record<string, string> = {}) =>
    accessOf({ socket: { remoteAddress }, headers } as never, undefined, 'production');
  for (const local of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) expect(from(local)).toBe(200);
  for (const other of ['10.0.0.7', '::ffff:10.0.0.7', '2001:db8::1', undefined]) expect(from(other)).toBe(404);
  expect(from('10.0.0.7', { 'x-forwarded-for': '127.0.0.1' })).toBe(404);
  expect(accessOf({ socket: { remoteAddress: '10.0.0.7' }, headers: {} } as never, undefined, '')).toBe(404);
  expect(accessOf({ socket: { remoteAddress: '10.0.0.7' }, headers: {} } as never, undefined, 'development')).toBe(200);
});

test('the limit of a check is that of the moment in which it begins, unless the router has one of its own', async () => {
  const [usual, own] = [new Checks(), new Checks(50)];
  const before = limits().checkMs;
  setLimits({ checkMs: 20 });
  vi.useFakeTimers();
  try {
    const ended: string[] = [];
    const hangs = () => new Promise(() => undefined);
    void usual.run(hangs).then(() => ended.push('usual'));
    void own.run(hangs).then(() => ended.push('own'));
    await vi.advanceTimersByTimeAsync(20);
    expect(ended).toEqual(['usual']);
    await vi.advanceTimersByTimeAsync(30);
    expect(ended).toEqual(['usual', 'own']);
  } finally {
    vi.useRealTimers();
    setLimits({ checkMs: before });
  }
});

test('checks run beside each other', async () => {
  const checks = new Checks(20_000);
  let release = (_: unknown): void => undefined;
  const first = checks.run(
    () =>
      new Promise((resolve) => {
        release = resolve;
      }),
  );
  await checks.run(() => release('answered by the other'));
  expect(await first).toEqual({ healthy: true, value: 'answered by the other' });
});

test('a check that hangs is not started again while it hangs, and again after that', async () => {
  const checks = new Checks(10);
  let started = 0;
  let release = (): void => undefined;
  const hanging = () => {
    started += 1;
    return new Promise<void>((resolve) => {
      release = resolve;
    });
  };
  for (let at = 0; at < 3; at++) expect(await checks.run(hanging)).toEqual({ healthy: false });
  expect(started).toBe(1);
  release();
  await until(async () => (await checks.run(hanging)).healthy);
  const again = checks.run(hanging);
  release();
  expect(await again).toEqual({ healthy: true, value: undefined });
  expect(started).toBe(2);
});

const noStores = noRedis || noMongo;
describe.skipIf(noStores !== '')(`with a real Redis and MongoDB${noStores}`, () => {
  test('they are healthy with their numbers, and each that hangs or is gone cannot hang the probe', async () => {
    const [cache, store] = await Promise.all([startRedis(), startMongo()]);
    const redis = new Redis(cache.port, '127.0.0.1');
    redis.on('error', () => undefined);
    atEnd(() => redis.disconnect());
    await mongoose.connect(`mongodb://127.0.0.1:${store.port}/shop`, { serverSelectionTimeoutMS: 300 });
    await mongoose.connection.collection('orders').insertOne({ a: 1 });
    const { url } = await served(healthRouter({ mongoose, redis, limitMs: 10_000 }));
    const health = async (from = url) => {
      const answer = await fetch(`${from}/health`);
      return [answer.status, ((await answer.json()) as { services: object }).services];
    };
    expect(await health()).toEqual([200, { database: 'healthy', redis: 'healthy' }]);
    expect(await (await fetch(`${url}/health/detailed`)).json()).toMatchObject({
      services: {
        database: { status: 'healthy', stats: { collections: 1, dataSize: expect.any(Number), indexes: 1 } },
        redis: { status: 'healthy', stats: expect.stringContaining('redis_version') },
      },
    });

    const { url: impatient } = await served(healthRouter({ mongoose, redis, limitMs: 100 }));
    cache.process.kill('SIGSTOP');
    store.process.kill('SIGSTOP');
    // A signal stops a process some moments after it was sent.
    const bothHang = '[503,{"database":"unhealthy","redis":"unhealthy"}]';
    await until(async () => JSON.stringify(await health(impatient)) === bothHang);
    cache.process.kill('SIGCONT');
    store.process.kill('SIGKILL');
    await until(async () => JSON.stringify(await health()) === '[503,{"database":"unhealthy","redis":"healthy"}]');
  });
});

afterAll(() => mongoose.disconnect());
