import { freshApp, HOSTILE } from '../../testing/app';
import * as Sentry from '..';

let app: ReturnType<typeof freshApp>;
beforeEach(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  app = freshApp();
  app.open();
});

const last = () => app.items().at(-1);

test('an error has its contexts, tags, user, extra and fingerprint, for all destinations', () => {
  const id = Sentry.captureException(new TypeError('no cart'), {
    level: 'warning',
    contexts: { cart: { items: 3 }, none: null },
    extra: { attempt: 2 },
    tags: { store: 'pune' },
    user: { id: 7, email: 'a@example.com', plan: 'gold', ip_address: '10.0.0.1' },
    fingerprint: ['cart', '{{ default }}'],
  });
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(last()).toMatchObject({
    kind: 'error',
    type: 'TypeError',
    message: 'no cart',
    level: 'warning',
    context: { cart: { items: 3 }, extra: { attempt: 2 } },
    tags: { store: 'pune' },
    user: { id: '7', email: 'a@example.com', extra: { plan: 'gold' } },
    fingerprint: ['cart', '{{ default }}'],
  });
  expect(last()).not.toHaveProperty('targets');
});

test('the context `error` with code and severity, alone, is code and severity of the error', () => {
  Sentry.captureException(new Error('x'), {
    contexts: { error: { code: 'PAYMENT_ERROR', severity: 'critical', order: 1 } },
  });
  expect(last()).toMatchObject({ code: 'PAYMENT_ERROR', severity: 'critical', context: { order: 1 } });
  Sentry.captureException(new Error('x'), { contexts: { error: { code: 'A', severity: 'huge' } } });
  expect(last()).toMatchObject({ context: { error: { code: 'A', severity: 'huge' } } });
  expect(last()).not.toHaveProperty('severity');
});

test('a message has a level, `info` unless one is given', () => {
  Sentry.captureMessage('hello');
  expect(last()).toEqual({ kind: 'message', message: 'hello', level: 'info' });
  Sentry.captureMessage('hello', 'log');
  expect(last()).toEqual({ kind: 'message', message: 'hello', level: 'info' });
  Sentry.captureMessage('slow', { level: 'warning', contexts: { performance: { duration: 1 } } });
  expect(last()).toEqual({
    kind: 'message',
    message: 'slow',
    level: 'warning',
    context: { performance: { duration: 1 } },
  });
});

test('a user is set and cleared', () => {
  Sentry.setUser({ id: 'u-42', email: 'asha@example.com', username: 'asha', plan: 'gold' });
  Sentry.setUser(null);
  expect(app.items()).toEqual([
    { scope: 'user', id: 'u-42', email: 'asha@example.com', username: 'asha', extra: { plan: 'gold' } },
    { scope: 'user' },
  ]);
});

test.each([
  ['seconds', 1_795_399_999],
  ['milliseconds', 1_795_399_999_000],
  ['a Date', new Date(1_795_399_999_000)],
  ['ISO text', '2026-11-23T02:13:19.000Z'],
])('a breadcrumb keeps its time given as %s', (_, timestamp) => {
  Sentry.addBreadcrumb({ category: 'ui', message: 'Pay', level: 'log', data: { n: 1 }, timestamp });
  const breadcrumb = { category: 'ui', message: 'Pay', level: 'info', data: { n: 1 } };
  expect(last()).toEqual({ breadcrumb, at_ms: 1_795_399_999_000 });
});

test('whatever is passed, nothing is thrown', () => {
  for (const one of HOSTILE) {
    expect(() => Sentry.captureException(one, one as never)).not.toThrow();
    expect(() => Sentry.captureMessage(one as never, one as never)).not.toThrow();
    expect(() => Sentry.setUser(one as never)).not.toThrow();
    expect(() => Sentry.addBreadcrumb(one as never)).not.toThrow();
    expect(() =>
      Sentry.captureException(new Error('x'), { contexts: { a: one }, tags: one, user: one } as never),
    ).not.toThrow();
  }
  expect(() => Sentry.captureException(new Error('x'), (() => 1) as never)).not.toThrow();
});
