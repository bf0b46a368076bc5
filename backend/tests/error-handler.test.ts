import { Agent, get } from 'node:http';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import express4 from 'express4';
import mongoose from 'mongoose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { client } from '../src/core/monitor';
import {
  AppError,
  asyncHandler,
  captureException,
  close,
  createErrorHandler,
  errorHandler,
  init,
  notFoundHandler,
  sentryErrorHandler,
} from '../src/index';
import { type Line, logged, serve, versions } from './app';
import { newFolder, type Row, rowsOf } from './engine';
import { until } from './waiting';

/** The package has no types of its own. */
const jwt = createRequire(import.meta.url)('jsonwebtoken') as {
  sign(claims: object, key: string): string;
  verify(token: string, key: string): unknown;
};

let folder = '';
let lines: Line[] = [];

beforeEach(() => {
  folder = newFolder();
  lines = logged();
  init({ folder, app: 'rezapp-api', release: 'rezapp-api@2.4.1' });
});

afterEach(() => close(20_000));

/** The rows that were recorded so far. */
async function allRows(): Promise<Row[]> {
  expect(await client().persist(20_000)).toBe('');
  return rowsOf(folder);
}

/** Those of errors. A request that failed is a row too: for the server, and for its client, which is in the same process. */
async function rows(): Promise<Row[]> {
  return (await allRows()).filter(({ kind }) => kind === 'error');
}

const errorsLogged = () => lines.filter((line) => line.message === 'Error occurred');

const thrown = (make: () => unknown): unknown => {
  try {
    return make();
  } catch (error) {
    return error;
  }
};

const named = (name: string, members: object = {}) => Object.assign(new Error('detail'), { name, ...members });

const Cart = mongoose.model('Cart', new mongoose.Schema({ owner: { type: String, required: true } }));
const invalid: unknown = await new Cart({}).validate().catch((error: unknown) => error);

/** The errors of the guide, most of them by the libraries that throw them. */
const KNOWN: [what: string, error: unknown, status: number, code: string, message: string][] = [
  ['a ValidationError of mongoose', invalid, 400, 'VALIDATION_ERROR', 'Validation failed'],
  ['a duplicate key', new mongoose.mongo.MongoServerError({ code: 11000 }), 409, 'DUPLICATE_ERROR', 'Duplicate entry'],
  ['a duplicate key of old drivers', named('MongoError', { code: 11000 }), 409, 'DUPLICATE_ERROR', 'Duplicate entry'],
  ['a duplicate key of a bulk', named('BulkWriteError', { code: 11000 }), 409, 'DUPLICATE_ERROR', 'Duplicate entry'],
  ['a token that is none', thrown(() => jwt.verify('x', 'k')), 401, 'AUTH_ERROR', 'Invalid token'],
  [
    'a token that has expired',
    thrown(() => jwt.verify(jwt.sign({ exp: 1 }, 'k'), 'k')),
    401,
    'TOKEN_EXPIRED',
    'Token expired',
  ],
  ['an AppError', new AppError('No such cart', 404, 'CART_NOT_FOUND'), 404, 'CART_NOT_FOUND', 'No such cart'],
  ['an AppError with its defaults', new AppError('Later'), 500, 'INTERNAL_ERROR', 'Later'],
];

/** What is no known error: it is answered with 500 and recorded. */
const UNKNOWN: [what: string, error: unknown, message: string][] = [
  ['an Error', new Error('no'), 'no'],
  ['another error of MongoDB', new mongoose.mongo.MongoServerError({ code: 50, message: 'slow' }), 'slow'],
  ['a text', 'no cart', 'no cart'],
  ['a number', 7, '7'],
  ['a frozen error', Object.freeze(new Error('frozen')), 'frozen'],
  ['an object', { secret: 1 }, 'An object with the members secret was thrown.'],
  [
    'an error whose members throw when they are read',
    Object.defineProperties(new Error('hidden'), {
      name: { get: () => fail('name') },
      message: { get: () => fail('message') },
      stack: { get: () => fail('stack') },
      statusCode: { get: () => fail('statusCode') },
    }),
    '',
  ],
  ['an error of axios, with the status of another server', named('AxiosError', { status: 404 }), 'detail'],
  ['an AppError with a status that is none', new AppError('odd', 200, 'ODD', false), 'odd'],
  ['an AppError with a status beyond HTTP', new AppError('odd', 99_999, 'ODD', false), 'odd'],
  ['an AppError with a status that is no number', new AppError('odd', Number.NaN, 'ODD', false), 'odd'],
];

function fail(text: string): never {
  throw new Error(text);
}

describe.each(versions)('Express %s', (_version, express) => {
  test.each(KNOWN)('%s is answered and logged, and not recorded', async (_what, error, status, code, message) => {
    const app = express();
    app.get('/carts', (_request, _response, next) => next(error));
    app.use(errorHandler);
    const response = await fetch(`${await serve(app)}/carts`);
    expect([response.status, await response.json()]).toEqual([status, { success: false, error: { message, code } }]);
    expect(errorsLogged()).toHaveLength(1);
    expect(errorsLogged()[0]).toMatchObject({ level: 'error', fields: { error: message, code, statusCode: status } });
    expect(await rows()).toEqual([]);
  });

  test.each(UNKNOWN)('%s is answered with 500 and recorded', async (_what, error, message) => {
    const app = express();
    app.get('/carts', (_request, _response, next) => next(error));
    app.use(errorHandler);
    const response = await fetch(`${await serve(app)}/carts`);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ success: false, error: { message } });
    expect(await rows()).toMatchObject([{ kind: 'error', json: { mechanism: 'middleware', handled: false } }]);
  });

  test('a request that fails is a row too, of the trace that its error belongs to', async () => {
    const app = express();
    app.get('/carts/:id', (_request, _response, next) => next(new Error('no')));
    app.use(errorHandler);
    await fetch(`${await serve(app)}/carts/7`);
    const all = await until(async () => {
      const found = await allRows();
      return found.some(({ kind }) => kind === 'span') && found;
    });
    const [error, request] = ['error', 'span'].map((kind) => all.find((row) => row.kind === kind)?.json);
    expect(request).toMatchObject({ name: 'GET /carts/:id', op: 'http.server', status: 'error', trace: error?.trace });
    expect(request?.trace).toMatchObject({ trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
  });

  test.each(['status', 'json'])('if response.%s throws, Express answers, and no client waits', async (method) => {
    const app = express();
    app.use((_request, response, next) => {
      Object.assign(response, {
        [method]: () => {
          throw new Error('refused');
        },
      });
      next();
    });
    app.get('/', () => fail('no stock'));
    app.use(errorHandler);
    // What Express answers with if this is missing is on the console, too.
    app.use(((error, _request, response, _next) => {
      response.statusCode = 500;
      response.end((error as Error).message);
    }) as ErrorRequestHandler);
    const answer = await fetch(await serve(app));
    expect([answer.status, await answer.text()]).toEqual([500, 'no stock']);
  });

  test('the line of the log has the members of the guide, and no value of the query', async () => {
    const app = express();
    app.use((request, _response, next) => {
      Object.assign(request, { user: { id: 'u-42', email: 'priya@example.com' } });
      next();
    });
    const router = express.Router();
    router.post('/:id/pay', () => fail('no stock'));
    app.use('/carts', router);
    app.use(errorHandler);
    await fetch(`${await serve(app)}/carts/7/pay?coupon=SECRET&page=2`, { method: 'POST' });
    expect(errorsLogged()[0]?.fields).toEqual({
      error: 'no stock',
      stack: expect.stringContaining('error-handler.test.ts'),
      code: 'INTERNAL_ERROR',
      statusCode: 500,
      url: '/carts/7/pay?coupon&page',
      method: 'POST',
      ip: '127.0.0.1',
      userId: 'u-42',
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  test('what is recorded tells of the request without credentials, values of the query and of the body', async () => {
    const app = express();
    app.use(express.json());
    const router = express.Router();
    router.post('/:id/pay', () => fail('no stock'));
    app.use('/carts', router);
    app.use(errorHandler);
    await fetch(`${await serve(app)}/carts/7/pay?coupon=SECRET`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer SECRET',
        cookie: 'sid=SECRET',
        'x-api-key': 'SECRET',
        'user-agent': 'rez/1',
      },
      body: JSON.stringify({ card: 'SECRET', quantity: 2, items: [1, 2] }),
    });
    const [row] = await rows();
    expect(JSON.stringify(row?.json)).not.toContain('SECRET');
    expect(row?.json).toMatchObject({
      context: {
        request: {
          method: 'POST',
          url: '/carts/7/pay?coupon',
          route: '/carts/:id/pay',
          status: 500,
          userAgent: 'rez/1',
          headers: { 'content-type': 'application/json' },
          body: { card: 'string(6)', quantity: 'number', items: 'array(2)' },
        },
      },
      tags: { 'http.route': '/carts/:id/pay' },
    });
    expect(JSON.stringify(row?.json)).not.toContain('127.0.0.1"');
  });

  test('a parameter that is not encoded correctly is 400, and not recorded', async () => {
    const app = express();
    app.get('/p/:id', (_request, response) => void response.json({}));
    app.use(errorHandler);
    const response = await fetch(`${await serve(app)}/p/%E0%A4%A`);
    const error = { message: 'Failed to decode param', code: 'BAD_REQUEST' };
    expect([response.status, await response.json()]).toEqual([400, { success: false, error }]);
    expect(errorsLogged()).toMatchObject([{ fields: { statusCode: 400 } }]);
    expect(await rows()).toEqual([]);
  });

  test('what is no error for Express goes on to the next route, and asyncHandler makes it one', async () => {
    const app = express();
    app.get('/plain', () => {
      throw null;
    });
    app.get(
      '/wrapped',
      asyncHandler(() => {
        throw null;
      }),
    );
    app.use(notFoundHandler);
    app.use(errorHandler);
    const url = await serve(app);
    expect([(await fetch(`${url}/plain`)).status, (await fetch(`${url}/wrapped`)).status]).toEqual([404, 500]);
  });

  test('a message and a stack of 50 MB are cut in the answer and in the log', async () => {
    const app = express();
    app.get('/:kind', (request, _response, next) => {
      const long = 'x'.repeat(50 * 1024 * 1024);
      next(request.params.kind === 'app' ? new AppError(long, 400, long) : new Error(long));
    });
    app.use(errorHandler);
    const url = await serve(app);
    const before = process.env.NODE_ENV;
    process.env.NODE_ENV = 'development';
    try {
      for (const kind of ['app', 'other'])
        expect((await (await fetch(`${url}/${kind}`)).text()).length).toBeLessThan(20_000);
    } finally {
      process.env.NODE_ENV = before;
    }
    for (const { fields } of errorsLogged()) expect(JSON.stringify(fields).length).toBeLessThan(20_000);
    expect(errorsLogged()).toHaveLength(2);
  });

  test('the headers of an error of http-errors are in the answer, those of any other error are not', async () => {
    const app = express();
    const headers = {
      'Retry-After': 30,
      'Content-Type': 'text/x',
      'content-length': '1',
      'x bad': 'a',
      'X-Bad': 'a\r\nb: c',
    };
    const errors: Record<string, object> = {
      busy: { status: 503, expose: false, headers },
      axios: { status: 503, headers },
      odd: { status: 429, expose: true, headers: 7 },
    };
    app.get('/:name', (request, _response, next) => next(Object.assign(new Error('no'), errors[request.params.name])));
    app.use(errorHandler);
    const url = await serve(app);
    const busy = await fetch(`${url}/busy`);
    expect([busy.status, busy.headers.get('retry-after'), busy.headers.get('x-bad')]).toEqual([503, '30', null]);
    expect(busy.headers.get('content-type')).toContain('application/json');
    expect(await busy.json()).toMatchObject({ success: false });
    const axios = await fetch(`${url}/axios`);
    expect([axios.status, axios.headers.get('retry-after')]).toEqual([500, null]);
    expect((await fetch(`${url}/odd`)).status).toBe(429);
  });

  test('the stack is in the answer only in development', async () => {
    const app = express();
    app.get('/', () => fail('no'));
    app.use(errorHandler);
    const url = await serve(app);
    const before = process.env.NODE_ENV;
    const answers: unknown[] = [];
    for (const environment of ['production', 'development', 'test']) {
      process.env.NODE_ENV = environment;
      answers.push(((await (await fetch(url)).json()) as { error: { stack?: string } }).error.stack !== undefined);
    }
    process.env.NODE_ENV = before;
    expect(answers).toEqual([false, true, false]);
  });

  test('a handler that is told to, keeps the messages of unexpected errors to itself', async () => {
    const app = express();
    app.get('/db', () => fail('connect ECONNREFUSED 10.0.0.3:27017'));
    app.get('/cart', () => {
      throw new AppError('No such cart', 404, 'CART_NOT_FOUND');
    });
    app.use(createErrorHandler({ internalMessage: 'Something went wrong' }));
    const url = await serve(app);
    expect(await (await fetch(`${url}/db`)).json()).toMatchObject({ error: { message: 'Something went wrong' } });
    expect(await (await fetch(`${url}/cart`)).json()).toMatchObject({ error: { message: 'No such cart' } });
  });

  test('a body that is no JSON is 400, one that is too large 413, and neither is recorded', async () => {
    const app = express();
    app.use(express.json({ limit: 100 }));
    app.post('/', (_request, response) => void response.json({}));
    app.use(errorHandler);
    const url = await serve(app);
    const post = (body: string) =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const bad = await post('{"a": x');
    const large = await post(JSON.stringify({ a: 'x'.repeat(200) }));
    expect([bad.status, await bad.json()]).toMatchObject([400, { error: { code: 'BAD_REQUEST' } }]);
    expect([large.status, await large.json()]).toMatchObject([413, { error: { code: 'PAYLOAD_TOO_LARGE' } }]);
    expect(await rows()).toEqual([]);
  });

  test('a client that disconnects in the middle of its body is a line of the log, and the server goes on', async () => {
    const app = express();
    let leave = () => {};
    app.use((_request, _response, next) => {
      next();
      leave();
    });
    app.use(express.json());
    const failed = new Promise<void>((resolve) => {
      app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
        errorHandler(error, request, response, next);
        resolve();
      });
    });
    const url = new URL(await serve(app));
    const socket = connect(Number(url.port), url.hostname);
    leave = () => socket.destroy();
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":');
    await failed;
    expect(errorsLogged()[0]?.fields).toMatchObject({ statusCode: 400, code: 'BAD_REQUEST' });
    expect((await fetch(url)).status).toBe(404);
    expect(await rows()).toEqual([]);
  });

  test('an error after the answer has begun goes on to Express, which ends the connection', async () => {
    const app = express();
    app.get('/', (_request, response, next) => {
      response.write('half');
      next(new Error('in the middle'));
    });
    app.use(errorHandler);
    const url = await serve(app);
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
    expect(await rows()).toMatchObject([{ json: { message: 'in the middle' } }]);
  });

  test('a handler that answers and then fails, or fails twice, ends no server', async () => {
    const app = express();
    const sockets = new Set<unknown>();
    app.get('/late', (request, response, next) => {
      sockets.add(request.socket);
      response.json({ paid: true });
      next(new Error('after the answer'));
    });
    app.get('/twice', (_request, _response, next) => {
      const error = new Error('twice');
      next(error);
      next(error);
    });
    app.use(errorHandler);
    const url = await serve(app);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let at = 0; at < 2; at++) {
      await new Promise((resolve, reject) => {
        get(`${url}/late`, { agent }, (response) => response.on('end', resolve).resume()).on('error', reject);
      });
    }
    agent.destroy();
    // The whole answer was sent, so the connection stays.
    expect(sockets.size).toBe(1);
    // Express itself ends the connection of the second one; whether the answer was read before that is up to the client.
    await fetch(`${url}/twice`).then(
      (response) => expect(response.status).toBe(500),
      () => undefined,
    );
    expect(await (await fetch(`${url}/late`)).json()).toEqual({ paid: true });
    const messages = (await rows()).map((row) => row.json.message);
    expect(messages.filter((message) => message === 'twice')).toHaveLength(1);
    expect(errorsLogged().filter(({ fields }) => fields.error === 'twice')).toHaveLength(1);
    expect(messages.filter((message) => message === 'after the answer')).toHaveLength(3);
  });

  test('an error that Sentry and the error handler get, or that was captured before, is recorded once', async () => {
    const app = express();
    app.get('/error', () => fail('an error'));
    app.get('/text', (_request, _response, next) => next('a text'));
    app.get('/captured', (_request, _response, next) => {
      const error = new Error('captured');
      captureException(error);
      next(error);
    });
    app.get('/invalid', (_request, _response, next) => next(invalid));
    app.get('/operational', (_request, _response, next) => next(new AppError('Payments are down', 503)));
    sentryErrorHandler(app);
    app.use(errorHandler);
    const url = await serve(app);
    for (const path of ['error', 'text', 'captured', 'invalid', 'operational']) await fetch(`${url}/${path}`);
    const messages = (await rows()).map((row) => row.json.message);
    // Sentry gets errors of 500 and more, operational or not.
    expect(messages).toEqual(['an error', 'a text', 'captured', 'Payments are down']);
  });

  test('one error that fails several requests, as a promise that all wait for, is recorded for each', async () => {
    const app = express();
    const connection = Promise.reject(new Error('no database'));
    connection.catch(() => undefined);
    app.get(
      '/',
      asyncHandler(() => connection),
    );
    sentryErrorHandler(app);
    app.use(errorHandler);
    const url = await serve(app);
    for (let at = 0; at < 3; at++) await fetch(url);
    expect((await rows()).map((row) => row.json.message)).toEqual(Array(3).fill('no database'));
  });

  test('what an async handler throws or rejects with comes to the error handler, also a rejection without a reason', async () => {
    const app = express();
    app.get(
      '/throws',
      asyncHandler(() => fail('thrown at once')),
    );
    app.get(
      '/rejects',
      asyncHandler(async (request, response) => {
        // The types are those of the app's Express.
        if (request.path === '/rejects') throw new AppError('No', 418, 'TEAPOT');
        response.json({});
      }),
    );
    app.get(
      '/undefined',
      asyncHandler(() => Promise.reject()),
    );
    app.get(
      '/empty',
      asyncHandler(() => Promise.reject('')),
    );
    app.get(
      '/null',
      asyncHandler(() => Promise.reject(null)),
    );
    app.get(
      '/answers',
      asyncHandler((_request: Request, response: Response) => void response.json({ ok: true })),
    );
    app.use(notFoundHandler);
    app.use(errorHandler);
    const url = await serve(app);
    const statuses = [];
    for (const path of ['throws', 'rejects', 'undefined', 'empty', 'null', 'answers']) {
      statuses.push((await fetch(`${url}/${path}`)).status);
    }
    expect(statuses).toEqual([500, 418, 500, 500, 500, 200]);
  });

  test('what no route takes is 404, without the values of the query', async () => {
    const app = express();
    app.use(notFoundHandler);
    app.use(errorHandler);
    const response = await fetch(`${await serve(app)}/nowhere?token=SECRET`);
    expect([response.status, await response.json()]).toEqual([
      404,
      { success: false, error: { message: 'Route /nowhere?token not found', code: 'NOT_FOUND' } },
    ]);
    expect(await rows()).toEqual([]);
  });
});

test('an AppError of another copy of the package, or of the guide, is one', async () => {
  class GuideError extends Error {
    statusCode = 402;
    code = 'PAYMENT_REQUIRED';
    isOperational = true;
  }
  const [, express] = versions[1];
  const app = express();
  app.get('/', (_request, _response, next) => next(new GuideError('Pay first')));
  app.use(errorHandler);
  const response = await fetch(await serve(app));
  expect([response.status, await response.json()]).toMatchObject([402, { error: { code: 'PAYMENT_REQUIRED' } }]);
});

test('an AppError is an Error with the members of the guide', () => {
  const error = new AppError('No', 404, 'NOT_FOUND', false);
  expect(error).toBeInstanceOf(Error);
  expect({ ...error, message: error.message }).toEqual({
    name: 'AppError',
    message: 'No',
    statusCode: 404,
    code: 'NOT_FOUND',
    isOperational: false,
  });
  expect(error.stack?.split('\n')[1]).toContain('error-handler.test.ts');
});

test('the handlers fit the types of Express 4, whose request an async handler gets', async () => {
  const app = express4();
  app.get(
    '/carts/:id',
    asyncHandler(async (request, response) => {
      response.json({ id: request.params.id });
    }),
  );
  app.get(
    '/typed/:id',
    asyncHandler(async (request: express4.Request<{ id: string }>, response: express4.Response) => {
      response.json({ id: request.params.id });
    }),
  );
  sentryErrorHandler(app);
  app.use(notFoundHandler, errorHandler);
  const url = await serve(app as never);
  for (const path of ['carts', 'typed']) expect(await (await fetch(`${url}/${path}/7`)).json()).toEqual({ id: '7' });
});
