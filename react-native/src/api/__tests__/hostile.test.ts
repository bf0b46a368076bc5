/** Every export of the package, and every method of what they return, with what an app passes by mistake. */
import * as all from '../../index';
import { freshApp, HOSTILE } from '../../testing/app';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

type Call = (...args: unknown[]) => unknown;

/** They need a render: their tests are beside them. */
const RENDERED = [
  'ErrorBoundary',
  'FeedbackForm',
  'MonitoredImage',
  'RezInspector',
  'TimeToDisplay',
  'useRouteScreens',
  'useScreenLoad',
];

/** The argument at each place, behind texts and alone. */
function argumentsWith(one: unknown): unknown[][] {
  const behind = ['text', 'text', 'text', 'text'].map((_, at) => [...Array(at).fill('text'), one]);
  return [[], ...behind, [one, one], ['text', one, one], ['text', 5, one]];
}

/** Runs a call, and waits for what it promises: a rejection fails the test. */
async function survives(name: string, call: Call, one: unknown): Promise<void> {
  for (const args of argumentsWith(one)) {
    try {
      const answer = call(...args);
      if (answer instanceof Promise) await answer;
    } catch (error) {
      throw new Error(`${name} with ${args.map((arg) => typeof arg)}: ${String(error)}`);
    }
  }
}

beforeEach(() => jest.spyOn(console, 'warn').mockImplementation(() => undefined));

/** Classes are called with `new`; objects give their methods. */
function callsOf(exports: Record<string, unknown>): [string, Call][] {
  return Object.entries(exports).flatMap(([name, value]): [string, Call][] => {
    if (RENDERED.includes(name)) return [];
    if (name === 'ApiCall' || name === 'ScreenLoad' || name === 'Span') {
      const Made = value as new (...args: unknown[]) => unknown;
      return [[name, (...args) => new Made(...args)]];
    }
    if (typeof value === 'function') return [[name, value as Call]];
    return Object.entries(value as object).map(([method, call]) => [`${name}.${method}`, call as Call]);
  });
}

test.each(callsOf(all))('%s does not throw, whatever is passed', async (name, call) => {
  for (const one of [...HOSTILE, [null], { destinations: 5 }, { destinations: [null] }]) {
    const app = freshApp();
    if (name !== 'init') app.open();
    await survives(name, call, one);
    freshApp();
  }
});

test('no method of a guard throws, whatever is passed, and each guard is recorded', async () => {
  for (const one of HOSTILE) {
    const app = freshApp();
    app.open();
    const trace = one as never;
    const guards = {
      screen_load: () => all.trackScreenLoad(trace),
      api_call: () => all.trackAPICall(trace, trace, trace),
      span: () => all.startSpan(trace, trace, trace),
    };
    for (const [kind, make] of Object.entries(guards)) {
      const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(make())).filter(
        (name) => name !== 'constructor' && name !== 'end',
      );
      for (const method of methods) {
        const guard = make() as unknown as Record<string, Call>;
        await survives(`${kind}.${method}`, (...args) => guard[method]?.(...args), one);
        // A method that lost its object.
        const lost = guard[method] as Call;
        expect(() => lost(one)).not.toThrow();
      }
      const before = app.items().filter((item) => item.kind === kind).length;
      (make() as unknown as { finish: Call }).finish(one);
      expect(app.items().filter((item) => item.kind === kind)).toHaveLength(before + 1);
    }
  }
});

const throws = (name: string) =>
  Object.defineProperty({}, name, {
    enumerable: true,
    get: () => {
      throw new Error('getter');
    },
  }) as never;

test.each(HOSTILE)('an event whose options are wrong (%#) is recorded all the same', (one) => {
  const app = freshApp();
  app.open();
  const options = one as never;
  expect(all.captureException(new Error('lost'), options)).not.toBe('');
  expect(all.captureMessage('lost', options)).not.toBe('');
  expect(all.captureFeedback('lost', options)).not.toBe('');
  expect(all.logEvent('lost', options, options)).not.toBe('');
  expect(all.logScreenView('lost', options)).not.toBe('');
  expect(all.trackInteraction('tap', 'Pay', options, options)).not.toBe('');
  expect(all.trackRevenue(5, options)).not.toBe('');
  expect(all.people.set('plan', one, options)).not.toBe('');
  expect(all.trackImageLoad('https://a.example/b.png', 5, options)).not.toBe('');
  expect(app.items().map(({ kind }) => kind)).toEqual([
    'error',
    'message',
    'feedback',
    'analytics',
    'screen_view',
    'interaction',
    'revenue',
    'user_prop',
    'image_load',
  ]);
});

test('a member that throws costs itself only', () => {
  const app = freshApp();
  app.open();
  const options = Object.defineProperty({ level: 'warning', tags: { a: 'b' } }, 'attributes', {
    enumerable: true,
    get: () => {
      throw new Error('getter');
    },
  }) as never;
  all.captureException(new Error('x'), options);
  expect(app.items()[0]).toMatchObject({ level: 'warning', tags: { a: 'b' } });
  all.addBreadcrumb(
    Object.defineProperty(
      { message: 'step' },
      'data',
      Object.getOwnPropertyDescriptor(throws('x'), 'x') ?? {},
    ) as never,
  );
  expect(app.items()[1]).toEqual({ breadcrumb: { message: 'step' } });
});

test('settings that throw or are of another kind open the engine with the rest, and say so', () => {
  const consent = { monitoring: 'granted', analytics: 'granted' };
  const good = { name: 'mine', kind: 'mixpanel', key: 't' };
  const getter = Object.getOwnPropertyDescriptor(throws('debug'), 'debug') ?? {};
  const cases: [object, string[]][] = [
    [{ consent, destinations: 5 }, ['`destinations` is off: pass a list']],
    [
      { consent, destinations: [null, good, throws('kind')] },
      [
        'destinations[0] is off: pass an object with `name` and `kind`',
        'destinations[2] is off: it cannot be read; pass a plain object',
      ],
    ],
    [
      Object.defineProperty({ consent, destinations: [good] }, 'debug', getter),
      ['init: `debug` throws when it is read; its default applies'],
    ],
    [
      { consent, destinations: [good], sentry: throws('dsn') },
      ['sentry is off: it cannot be read; pass a plain object'],
    ],
    [{ consent: throws('analytics'), destinations: [good] }, []],
  ];
  for (const [config, problems] of cases) {
    const app = freshApp();
    expect(all.init(config as never)).toMatchObject({ recording: true, problems });
    const names = app.destinations().map(({ name }) => name);
    expect(names).toEqual(
      JSON.stringify(Object.keys(config)).includes('destinations') && problems[0]?.includes('list') !== true
        ? ['mine']
        : [],
    );
    expect(all.logEvent('after')).not.toBe('');
    expect(app.items().map(({ kind }) => kind)).toContain('analytics');
  }
  freshApp();
});

test('destinations that are none add nothing, and say so', () => {
  freshApp().open();
  expect(all.addDestinations(null as never)).toEqual(['no destinations; pass an object']);
  expect(all.addDestinations(throws('sentry'))).toEqual([expect.stringContaining('cannot be read')]);
});
