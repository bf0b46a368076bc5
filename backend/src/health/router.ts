/** The guide's health endpoints, and the two that an orchestrator asks. Nothing is cached: each answer is of now. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { guarded, recordOf } from '../../../react-native/src/core/guard';
import { trimmedPath } from '../core/path';
import { leaveOut } from '../core/probes';
import { isShuttingDown } from '../core/shutdown';
import { accessOf } from './access';
import { type Check, type Checked, Checks } from './checks';

/** What is used of mongoose. */
export interface MongooseHealth {
  connection: { readyState: number; db?: unknown };
}

/** What is used of ioredis. */
export interface RedisHealth {
  ping(): Promise<unknown>;
  info(): Promise<string>;
}

/** Every member is optional. */
export interface HealthOptions {
  /** The mongoose of the app. Without it `database` is `unknown`. */
  mongoose?: MongooseHealth;
  /** The client of ioredis. Without it `redis` is `unknown`. */
  redis?: RedisHealth;
  /** More services by name. A check fails by throwing, by rejecting or by taking longer than `limitMs`. */
  checks?: Readonly<Record<string, Check>>;
  /** Who has it may read `/health/detailed`: `Authorization: Bearer <token>`. Without one, in production only a client on this machine. */
  token?: string | undefined;
  /** How long a check of this router may take, in milliseconds. Default: `checkMs` of `init({ limits })` when the check begins, 1,000. */
  limitMs?: number;
}

/** A handler for `app.use` of Express 4 and 5, and for `node:http`. */
export type HealthHandler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;

/** What is used of a database of the driver. */
interface Database {
  admin(): { ping(): Promise<unknown> };
  stats(): Promise<{ collections?: number; dataSize?: number; indexes?: number }>;
}

type State = 'healthy' | 'unhealthy' | 'unknown';

/**
 * Answers `/health`, `/health/detailed`, `/live` and `/ready` below where it is mounted: `app.use('/api', healthRouter())`.
 *
 * - `/health`: 200 `healthy`, or 503 `degraded` if a service is unhealthy.
 * - `/health/detailed`: the same with numbers of the process and of the services. In production for few, see `token`.
 * - `/live`: 200 as long as the process answers. It asks no service: a restart mends none.
 * - `/ready`: 200, and 503 once `gracefulShutdown` has begun.
 *
 * What a check returns is its `stats`, as JSON; null if it is none. Checks run beside each other and take `limitMs` at most; one that is
 * late counts as unhealthy. These requests are never rows.
 */
export function healthRouter(options: HealthOptions = {}): HealthHandler {
  const { mongoose, redis, token, limitMs, ...rest } = recordOf(options);
  // A plain JavaScript app can pass null.
  const checks = recordOf(rest.checks);
  const runner = new Checks(limitMs);
  const all: [string, Check | undefined][] = [
    ['database', mongoose ? () => databaseOf(mongoose).admin().ping() : undefined],
    ['redis', redis ? () => redis.ping() : undefined],
    ...Object.entries(checks),
  ];
  const details: [string, Check | undefined][] = [
    ['database', mongoose ? () => databaseStats(mongoose) : undefined],
    ['redis', redis ? () => redis.info() : undefined],
    ...Object.entries(checks),
  ];

  const run = (list: [string, Check | undefined][]) =>
    Promise.all(
      list.map(
        async ([name, check]): Promise<[string, Checked | undefined]> => [
          name,
          check ? await runner.run(check) : undefined,
        ],
      ),
    );

  async function health(): Promise<[number, object]> {
    const checked = await run(all);
    const services = Object.fromEntries(checked.map(([name, one]) => [name, stateOf(one)]));
    return answer(checked, { timestamp: new Date().toISOString(), uptime: process.uptime(), services });
  }

  async function detailed(): Promise<[number, object]> {
    const checked = await run(details);
    const services = checked.map(([name, one]) => [
      name,
      { status: stateOf(one), stats: one?.healthy ? asJson(one.value) : null },
    ]);
    return answer(checked, {
      timestamp: new Date().toISOString(),
      system: {
        platform: process.platform,
        nodeVersion: process.version,
        memoryUsage: process.memoryUsage(),
        cpuUsage: process.cpuUsage(),
        uptime: process.uptime(),
      },
      services: Object.fromEntries(services),
    });
  }

  const routes: Readonly<Record<string, (request: IncomingMessage) => Promise<[number, object]>>> = {
    '/health': health,
    '/health/detailed': async (request) => {
      const access = accessOf(request, token);
      return access === 200 ? detailed() : [access, { error: access === 401 ? 'token required' : 'not found' }];
    },
    '/live': async () => [200, { status: 'alive' }],
    '/ready': async () => (isShuttingDown() ? [503, { status: 'shutting down' }] : [200, { status: 'ready' }]),
  };

  return (request, response, next) => {
    const path = trimmedPath(request.url);
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!route || (request.method !== 'GET' && request.method !== 'HEAD')) {
      if (next) next();
      else guarded(undefined, () => send(response, 404, { error: 'not found' }));
      return;
    }
    leaveOut(request);
    route(request)
      .then(
        ([status, body]) => send(response, status, body),
        () => send(response, 503, { status: 'unhealthy' }),
      )
      // A response that the app has changed can throw: then there is nobody to answer.
      .catch(() => undefined);
  };
}

function answer(checked: [string, Checked | undefined][], rest: object): [number, object] {
  const degraded = checked.some(([, one]) => one?.healthy === false);
  return [degraded ? 503 : 200, { status: degraded ? 'degraded' : 'healthy', ...rest }];
}

function stateOf(checked: Checked | undefined): State {
  if (checked === undefined) return 'unknown';
  return checked.healthy ? 'healthy' : 'unhealthy';
}

/** Throws if there is no connection: mongoose would keep the question until there is one. */
function databaseOf({ connection }: MongooseHealth): Database {
  if (connection.readyState !== 1) throw new Error('not connected');
  return connection.db as Database;
}

async function databaseStats(mongoose: MongooseHealth): Promise<object> {
  const { collections, dataSize, indexes } = await databaseOf(mongoose).stats();
  return { collections, dataSize, indexes };
}

/** What a check returned, if it is JSON: a BigInt or a circle must not cost the answers of the others. */
function asJson(value: unknown): unknown {
  return guarded<unknown>(null, () => JSON.parse(JSON.stringify(value) ?? 'null'));
}

function send(response: ServerResponse, status: number, body: object): void {
  // The client may have left, and the app may have answered for it.
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Cache-Control', 'no-store');
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  response.end(JSON.stringify(body));
}
