import { init as initModern } from '../../api/init';
import type { Frame } from '../../core/items';
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

test('the hook sees the user that was set last, and what it removes there is removed from the event', () => {
  const app = started((event) => {
    if (event.user) delete event.user.email;
    return event;
  });
  Sentry.setUser({ id: 'u-42', email: 'asha@example.com', plan: { name: 'gold' } });
  Sentry.captureMessage('x');
  expect(app.items().at(-1)).toMatchObject({ user: { id: 'u-42', extra: { plan: { name: 'gold' } } } });
  expect(app.items().at(-1)).not.toHaveProperty('user.email');
});

test.each([
  ['deletes', (event: Sentry.Event) => delete event.user],
  ['empties', (event: Sentry.Event) => (event.user = {})],
])('a hook that %s the user leaves the event without one', (_, change) => {
  const app = started((event) => {
    change(event);
    return event;
  });
  Sentry.setUser({ id: 'u-42' });
  Sentry.captureMessage('x');
  expect(app.items().at(-1)).toMatchObject({ kind: 'message', user: {} });
  expect(app.items().at(-1)).not.toHaveProperty('user.id');
});

test('a change inside the user stays in the event, and a user that is not changed is not repeated', () => {
  const app = started((event) => {
    const place = event.user?.place as { street?: string } | undefined;
    if (event.message === 'changed' && place) delete place.street;
    return event;
  });
  const place = { city: 'Pune', street: 'MG Road' };
  Sentry.setUser({ id: 'u-42', place });
  Sentry.captureMessage('changed');
  Sentry.captureMessage('same');
  const [, changed, same] = app.items();
  expect(changed?.user).toEqual({ id: 'u-42', extra: { place: { city: 'Pune' } } });
  expect(same).not.toHaveProperty('user');
  expect(place).toEqual({ city: 'Pune', street: 'MG Road' });
});

test('an event that a promise held keeps the user of its time', async () => {
  const app = started((event) => Promise.resolve(event));
  Sentry.setUser({ id: 'u-1' });
  Sentry.captureMessage('x');
  Sentry.setUser({ id: 'u-2' });
  await new Promise(setImmediate);
  expect(app.items().at(-1)).toMatchObject({ message: 'x', user: { id: 'u-1' } });
});

test('a crash is recorded at once, as an asynchronous hook has left it so far', async () => {
  const app = started(async (event) => {
    event.tags = { seen: 'yes' };
    await new Promise(setImmediate);
    throw new Error('too late');
  });
  expect(app.client.recordFatal({ kind: 'crash', type: 'Error', message: 'x', level: 'fatal' })).toBe(true);
  const crash = () => app.port.fatals.map((document) => JSON.parse(document).items.at(-1));
  expect(crash()).toMatchObject([{ kind: 'crash', message: 'x', tags: { seen: 'yes' } }]);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  expect(crash()).toHaveLength(1);
  expect(app.items()).toEqual([]);
  expect(app.client.filtered).toBe(0);
});

test('an event that a promise held is counted as filtered unless it is recorded', async () => {
  const unreadable = new Proxy({} as Sentry.Event, {
    get: (_, name) => {
      if (name === 'then') return undefined;
      throw new Error('get');
    },
  });
  const answers: ((event: Sentry.Event) => Sentry.Event | null)[] = [
    () => unreadable,
    () => null,
    () => {
      throw new Error('hook');
    },
    (event) => event,
  ];
  const rejected = jest.fn();
  process.on('unhandledRejection', rejected);
  const app = started(async (event) => answers.shift()?.(event) ?? null);
  for (let at = 0; at < 4; at++) Sentry.captureMessage(`message ${at}`);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  process.off('unhandledRejection', rejected);
  expect(rejected).not.toHaveBeenCalled();
  expect(app.items()).toMatchObject([{ message: 'message 3' }]);
  expect(app.client.filtered).toBe(3);
});

test('after two calls of `init` each hook runs once, also for an event that a promise held', async () => {
  const app = freshApp();
  const ran: string[] = [];
  for (let at = 0; at < 2; at++) {
    Sentry.init({
      dsn,
      beforeSend: async (event) => {
        ran.push('event');
        return event;
      },
      beforeBreadcrumb: (breadcrumb) => {
        ran.push('breadcrumb');
        return breadcrumb;
      },
    });
  }
  Sentry.captureMessage('x');
  Sentry.addBreadcrumb({ message: 'y' });
  await new Promise(setImmediate);
  expect(ran).toEqual(['event', 'breadcrumb']);
  expect(app.items()).toHaveLength(2);
});

test('the hook of `init` sees an event that a promise of Sentry held once', async () => {
  const app = freshApp();
  let ran = 0;
  initModern({
    consent: { monitoring: 'granted', analytics: 'granted' },
    beforeSend: (event) => {
      ran += 1;
      return event;
    },
  });
  Sentry.init({ dsn, beforeSend: async (event) => event });
  Sentry.captureMessage('x');
  await new Promise(setImmediate);
  expect(app.items()).toHaveLength(1);
  expect(ran).toBe(1);
});

/** An error of a native module, whose frames have a language of their own. */
function nativeError(): Error {
  const frame = (methodName: string, at: number) => ({
    class: 'app.Cart',
    methodName,
    file: 'Cart.kt',
    lineNumber: at,
  });
  return Object.assign(new Error('native'), { nativeStackAndroid: [frame('inner', 2), frame('outer', 1)] });
}

test('frames are in the order of Sentry, the outermost first, and stay in it', () => {
  const seen: (string | undefined)[] = [];
  const app = started((event) => {
    const [cause] = event.exception?.values ?? [];
    seen.push(...(cause?.stacktrace?.frames ?? []).map((frame) => frame.function));
    return event;
  });
  Sentry.captureException(nativeError());
  expect(seen).toEqual(['outer', 'inner']);
  const [cause] = (app.items()[0]?.causes ?? []) as { frames: Frame[] }[];
  expect(cause?.frames.map((frame) => frame.function)).toEqual(['outer', 'inner']);
});

test.each([
  ['returns the event', (event: Sentry.Event) => event],
  ['returns a copy', (event: Sentry.Event) => JSON.parse(JSON.stringify(event)) as Sentry.Event],
])('frames keep their language and what else a hook does not see when it %s', (_, beforeSend) => {
  const app = started(beforeSend);
  const frame: Frame = { function: 'pay', module: 'Cart', address: '0x10', language: 'cocoa', in_app: true };
  app.client.record({ kind: 'error', type: 'Error', message: 'x', stack: 'Error: x', frames: [frame] });
  expect(app.items()[0]).toMatchObject({ stack: 'Error: x', frames: [frame] });
});

test('a native frame keeps its language, and what the hook deletes of it is gone', () => {
  const app = started((event) => {
    for (const frame of event.exception?.values?.[0]?.stacktrace?.frames ?? []) delete frame.filename;
    return event;
  });
  Sentry.captureException(nativeError());
  const [cause] = (app.items()[0]?.causes ?? []) as { frames: Frame[] }[];
  expect(cause?.frames).toEqual([
    { function: 'outer', module: 'app.Cart', line: 1, in_app: true, language: 'java' },
    { function: 'inner', module: 'app.Cart', line: 2, in_app: true, language: 'java' },
  ]);
});

test('a message that the hook changes does not stay in the text of the stack', () => {
  const app = started((event) => {
    const [exception] = event.exception?.values ?? [];
    if (exception) exception.value = '[removed]';
    return event;
  });
  app.client.record({ kind: 'error', type: 'Error', message: 'secret', stack: 'Error: secret\nunknown form' });
  expect(app.items()[0]).toMatchObject({ message: '[removed]' });
  expect(JSON.stringify(app.items())).not.toContain('secret');
});
