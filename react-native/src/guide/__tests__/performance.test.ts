import { carrier } from '../../core/carrier';
import { consoleBreadcrumbs } from '../../instrument/console';
import { freshApp, HOSTILE } from '../../testing/app';
import { performanceMonitor } from '..';

let app: ReturnType<typeof freshApp>;
let warn: jest.SpyInstance;

/** Moves the clocks of the app and `Date.now()` together. */
function advance(ms: number) {
  app.clock.advance(ms);
  jest.setSystemTime(app.clock.wall);
}

beforeEach(() => {
  jest.useFakeTimers();
  warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  warn.mockClear();
  app = freshApp();
  app.open();
  jest.setSystemTime(app.clock.wall);
});
afterEach(() => jest.useRealTimers());

const breadcrumbs = () => app.items().flatMap((item) => ('breadcrumb' in item ? [item.breadcrumb] : []));
const events = () => app.items().filter((item) => 'kind' in item);

test.each([
  [3_000, []],
  [3_001, ['Slow screen load: HomePage took 3001ms']],
])('a screen load of %i ms warns %j', (ms, warnings) => {
  const end = performanceMonitor.trackScreenLoad('HomePage');
  advance(ms);
  end();
  expect(warn.mock.calls.flat()).toEqual(warnings);
  expect(breadcrumbs()).toEqual([
    { category: 'performance', message: 'HomePage loaded', level: 'info', data: { loadTime: ms } },
  ]);
  expect(performanceMonitor.getMetrics()).toEqual({ screen_HomePage_load: ms });
  expect(events()).toEqual([
    { kind: 'screen_load', name: 'HomePage', start_ms: 1_795_400_000_000, duration_us: ms * 1_000 },
  ]);
});

test('the end of a screen load may be called again: metric and breadcrumb, and one row', () => {
  const end = performanceMonitor.trackScreenLoad('HomePage');
  advance(100);
  end();
  advance(3_000);
  end();
  expect(breadcrumbs()).toMatchObject([{ data: { loadTime: 100 } }, { data: { loadTime: 3_100 } }]);
  expect(performanceMonitor.getMetrics()).toEqual({ screen_HomePage_load: 3_100 });
  expect(warn).toHaveBeenCalledWith('Slow screen load: HomePage took 3100ms');
  expect(events()).toHaveLength(1);
});

test.each([5_000, 5_001])('an API call of %i ms returns it, leaves a breadcrumb and is a row of the engine', (ms) => {
  const start = Date.now();
  advance(ms);
  expect(performanceMonitor.trackAPICall('/products', start)).toBe(ms);
  expect(breadcrumbs()).toEqual([
    { category: 'api', message: 'API call to /products', level: 'info', data: { duration: ms } },
  ]);
  expect(warn.mock.calls.flat()).toEqual(ms > 5_000 ? ['Slow API call: /products took 5001ms'] : []);
  expect(performanceMonitor.getMetrics()).toEqual({ 'api_/products': ms });
  // The engine adds the message of a slow call.
  expect(events()).toEqual([
    { kind: 'api_call', url: '/products', endpoint: '/products', start_ms: start, duration_us: ms * 1_000 },
  ]);
});

test('where HTTP calls are recorded, a slow call leaves its message and no second row', () => {
  carrier().recordsNetwork = true;
  const start = Date.now();
  advance(5_001);
  performanceMonitor.trackAPICall('/fast', Date.now());
  performanceMonitor.trackAPICall('/products', start);
  expect(events()).toEqual([
    {
      kind: 'message',
      message: 'Slow API: /products',
      level: 'warning',
      context: { performance: { duration: 5_001, endpoint: '/products' } },
    },
  ]);
  expect(breadcrumbs()).toHaveLength(2);
});

test.each([2_000, 2_001])('an image load of %i ms is a row and no metric', (ms) => {
  const start = Date.now();
  advance(ms);
  performanceMonitor.trackImageLoad('https://cdn.example/i.webp', start);
  expect(warn.mock.calls.flat()).toEqual(ms > 2_000 ? ['Slow image load: https://cdn.example/i.webp took 2001ms'] : []);
  expect(performanceMonitor.getMetrics()).toEqual({});
  expect(events()).toEqual([{ kind: 'image_load', url: 'https://cdn.example/i.webp', duration_us: ms * 1_000 }]);
  expect(breadcrumbs()).toEqual([]);
});

test('what is printed and left as a breadcrumb has no query and no fragment', () => {
  const undo = consoleBreadcrumbs(() => app.client);
  carrier().recordsNetwork = true;
  const start = Date.now();
  advance(6_000);
  performanceMonitor.trackImageLoad('https://cdn.example/i.webp?X-Amz-Signature=secret#secret', start);
  performanceMonitor.trackAPICall('/orders?token=secret', start);
  performanceMonitor.trackAPICall('/orders#secret', start);
  if (typeof undo === 'function') undo();
  expect(warn.mock.calls.flat()).toEqual([
    'Slow image load: https://cdn.example/i.webp took 6000ms',
    'Slow API call: /orders took 6000ms',
    'Slow API call: /orders took 6000ms',
  ]);
  expect(JSON.stringify(app.items().filter((item) => item.kind !== 'image_load'))).not.toContain('secret');
  expect(performanceMonitor.getMetrics()).toHaveProperty(['api_/orders?token=secret'], 6_000);
});

test('an interaction is a breadcrumb and a row', () => {
  performanceMonitor.trackInteraction('tap', 'PayButton');
  expect(breadcrumbs()).toEqual([{ category: 'user.action', message: 'tap on PayButton', level: 'info' }]);
  expect(events()).toEqual([{ kind: 'interaction', action: 'tap', component: 'PayButton' }]);
});

test('metrics are copied, cleared, and bounded', () => {
  for (let at = 0; at < 1_100; at++) performanceMonitor.trackAPICall(`/p/${at}`, Date.now());
  performanceMonitor.trackAPICall('__proto__', Date.now());
  const metrics = performanceMonitor.getMetrics();
  expect(Object.keys(metrics)).toHaveLength(1_000);
  expect(metrics).toHaveProperty(['api___proto__'], 0);
  metrics.mine = 1;
  expect(performanceMonitor.getMetrics()).not.toHaveProperty('mine');
  performanceMonitor.clearMetrics();
  expect(performanceMonitor.getMetrics()).toEqual({});
  expect(app.port.calls.at(-1)).toEqual(['clearMetrics']);
});

test('without an engine, and with whatever is passed, nothing is thrown', () => {
  for (const one of HOSTILE as never[]) {
    for (const answers of [
      {},
      {
        recordBatch: () => {
          throw new Error('native');
        },
      },
    ]) {
      app = freshApp(answers as never);
      expect(() => performanceMonitor.trackScreenLoad(one)()).not.toThrow();
      expect(() => performanceMonitor.trackImageLoad(one, one)).not.toThrow();
      expect(() => performanceMonitor.trackInteraction(one, one)).not.toThrow();
      expect(() => performanceMonitor.trackAPICall(one, 0)).not.toThrow();
    }
  }
  expect(performanceMonitor.trackAPICall('/x', undefined as never)).toBeNaN();
});
