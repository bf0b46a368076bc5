import { init as initModern } from '../../api/init';
import { freshApp } from '../../testing/app';
import * as Sentry from '..';

const dsn = 'https://k@o1.ingest.sentry.io/1';

function started(beforeSend: Sentry.Options['beforeSend'], more: Sentry.Options = {}) {
  const app = freshApp();
  Sentry.init({ dsn, beforeSend, ...more });
  return app;
}

afterEach(() => void freshApp());
beforeEach(() => jest.spyOn(console, 'warn').mockImplementation(() => undefined));

test('the hook sees an event of Sentry, the error itself, and cookies to delete', () => {
  const seen: [Sentry.Event, Sentry.EventHint][] = [];
  const app = started((event, hint) => {
    seen.push([JSON.parse(JSON.stringify(event)), hint]);
    delete event.request?.cookies;
    return event;
  });
  const error = new TypeError('no cart', { cause: new Error('behind') });
  Sentry.captureException(error, { contexts: { error: { code: 'E1', severity: 'high', n: 1 } }, tags: { a: 'b' } });
  const [event, hint] = seen[0] ?? [];
  expect(hint?.originalException).toBe(error);
  expect(event).toMatchObject({
    platform: 'javascript',
    request: { cookies: {} },
    contexts: { error: { code: 'E1', severity: 'high', n: 1 } },
    tags: { a: 'b' },
    exception: {
      values: [
        { type: 'Error', value: 'behind' },
        { type: 'TypeError', value: 'no cart' },
      ],
    },
  });
  expect(event?.event_id).toMatch(/^[0-9a-f]{32}$/);
  expect(app.items()).toHaveLength(1);
});

test('an event that the hook returns as it is stays as it was', () => {
  const record = () => {
    Sentry.captureException(new RangeError('x', { cause: new Error('y') }), {
      contexts: { error: { code: 'A', severity: 'low' } },
    });
    Sentry.captureMessage('m', { contexts: { a: { b: 1 } }, tags: { t: '1' } });
  };
  const plain = started(undefined);
  record();
  const hooked = started((event) => event);
  record();
  const lines = (list: unknown) => JSON.parse(JSON.stringify(list).replace(/"(line|column)":\d+/g, '"$1":0'));
  const sorted = (list: unknown) =>
    JSON.parse(JSON.stringify(list, (_, one) => (isMap(one) ? Object.fromEntries(Object.entries(one).sort()) : one)));
  const level = (list: Record<string, unknown>[]) => list.map((item) => ({ ...item }));
  expect(sorted(lines(level(hooked.items())))).toEqual(sorted(lines(level(plain.items()))));
});

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

test('what the hook changes is recorded', () => {
  const app = started((event) => {
    const [cause, thrown] = event.exception?.values ?? [];
    if (cause && thrown) {
      thrown.value = '[removed]';
      thrown.stacktrace = { frames: [{ function: 'pay', filename: 'cart.tsx', lineno: 4 }] };
      event.exception = { values: [thrown] };
    }
    event.level = 'fatal';
    event.tags = { only: 'this' };
    event.user = { id: 'u-1', plan: 'gold' };
    event.contexts = { shop: { open: true } };
    event.extra = { note: 'n' };
    event.fingerprint = ['mine'];
    return event;
  });
  Sentry.captureException(new Error('secret', { cause: new Error('y') }));
  expect(app.items()).toEqual([
    {
      kind: 'error',
      type: 'Error',
      message: '[removed]',
      language: 'javascript',
      frames: [{ function: 'pay', file: 'cart.tsx', line: 4 }],
      level: 'fatal',
      tags: { only: 'this' },
      user: { id: 'u-1', extra: { plan: 'gold' } },
      context: { shop: { open: true } },
      attrs: { note: 'n' },
      fingerprint: ['mine'],
    },
  ]);
});

test.each([
  ['null', () => null],
  [
    'an error',
    () => {
      throw new Error('hook');
    },
  ],
])('a hook that ends with %s drops the event', (_, beforeSend) => {
  const app = started(beforeSend);
  expect(Sentry.captureException(new Error('x'))).toBe('');
  expect(app.items()).toEqual([]);
});

test('a promise holds the event until it is kept', async () => {
  const answers: ((event: Sentry.Event | null) => void)[] = [];
  const app = started(
    (event) => new Promise((done) => answers.push((kept) => done(kept && { ...event, level: 'info' }))),
  );
  Sentry.captureException(new Error('first'));
  Sentry.captureException(new Error('second'));
  app.clock.advance(5_000);
  expect(app.items()).toEqual([]);
  answers[0]?.({} as Sentry.Event);
  answers[1]?.(null);
  await new Promise(setImmediate);
  expect(app.items()).toMatchObject([{ message: 'first', level: 'info', at_ms: 1_795_400_000_000 }]);
});

test('events of other kinds pass unseen, and what waited for the engine is seen', () => {
  const app = freshApp();
  Sentry.captureException(new Error('early'));
  Sentry.addBreadcrumb({ message: 'early step' });
  app.client.record({ kind: 'analytics', name: 'early event' });
  Sentry.init({
    dsn,
    beforeSend: (event) => ({ ...event, tags: { seen: 'yes' } }),
    beforeBreadcrumb: (breadcrumb) => ({ ...breadcrumb, message: `${breadcrumb.message}, seen` }),
  });
  expect(app.items()).toMatchObject([
    { message: 'early', tags: { seen: 'yes' } },
    { breadcrumb: { message: 'early step, seen' } },
    { kind: 'analytics', name: 'early event' },
  ]);
  expect(app.items()[2]).not.toHaveProperty('tags');
});

test('the hook of `init` runs first; a second `init` of Sentry replaces its own', () => {
  const app = freshApp();
  const order: string[] = [];
  initModern({
    consent: { monitoring: 'granted', analytics: 'granted' },
    beforeSend: (event) => {
      order.push('modern');
      return event;
    },
  });
  for (const name of ['old', 'new']) {
    Sentry.init({
      dsn,
      beforeSend: (event) => {
        order.push(name);
        return event;
      },
    });
  }
  Sentry.captureMessage('x');
  expect(order).toEqual(['modern', 'new']);
  expect(app.items()).toHaveLength(1);
});
