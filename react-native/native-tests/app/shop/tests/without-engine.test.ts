/** What Expo Go, a web page and jest see: a package whose native module is missing. */
import { settings } from '../settings';

const ENTRIES = Object.keys(require('@rez/monitor/package.json').exports)
  .filter((entry) => !entry.includes('.js') && !/jest|metro/.test(entry))
  .map((entry) => entry.replace('.', '@rez/monitor'));

/** Every property of the global object and of the console, without the state that the copies of the package share. */
function globals(): Map<PropertyKey, unknown> {
  const found = new Map<PropertyKey, unknown>();
  for (const [name, object] of Object.entries({ global: globalThis, console })) {
    for (const key of Reflect.ownKeys(object)) {
      const { value, get } = Reflect.getOwnPropertyDescriptor(object, key) ?? {};
      if (key !== Symbol.for('app.rez.monitor')) found.set(`${name}.${String(key)}`, get ?? value);
    }
  }
  return found;
}

function changedSince(before: Map<PropertyKey, unknown>): PropertyKey[] {
  const after = globals();
  return [...new Set([...before.keys(), ...after.keys()])].filter((key) => !Object.is(before.get(key), after.get(key)));
}

test.each(ENTRIES)('%s changes nothing when it is imported', (entry) => {
  require('react-native');
  const before = globals();
  expect(Object.keys(require(entry)).length).toBeGreaterThan(0);
  expect(changedSince(before)).toEqual([]);
});

test('init says once that nothing is recorded, and every call works', async () => {
  const lines = (['log', 'info', 'warn', 'error'] as const).map((level) =>
    jest.spyOn(console, level).mockReturnValue(),
  );
  const monitor = require('@rez/monitor') as typeof import('@rez/monitor');
  const before = globals();
  const { recording, problems } = monitor.init(settings);
  expect(recording).toBe(false);
  expect(problems).toEqual([expect.stringContaining('the native module RezMonitor is missing')]);
  expect(lines.flatMap((line) => line.mock.calls)).toHaveLength(1);
  expect(monitor.captureException(new Error('lost'))).toEqual(expect.any(String));
  monitor.addBreadcrumb({ message: 'a tap' });
  monitor.setUser({ id: 'u-1' });
  monitor.logEvent('view_item', { item_id: '7' });
  monitor.trackScreenLoad('Cart').finish();
  monitor.trackAPICall('GET', 'https://api.shop.example/cart').finish({ status: 200 });
  expect((await monitor.flush()).destinations).toEqual([]);
  await monitor.close();
  expect(changedSince(before)).toEqual([]);
});
