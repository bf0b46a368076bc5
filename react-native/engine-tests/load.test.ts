/** Many events at once, on the real engine. */
import { Client } from '../src/core/client';
import { newEngine, newFolder, rowsOf, WAIT_MS } from './addon';

test('of a hundred thousand events in one tick each is in the queue once, or counted as refused', async () => {
  const client = new Client({ port: newEngine() });
  const folder = newFolder();
  const granted = { consentMonitoring: 'granted', consentAnalytics: 'granted' };
  const settings = { folder, app: 'shop', release: 'shop@1', sessions: false, capBytes: 2 ** 30, ...granted };
  expect(client.open(settings)).toBe('');
  const ids = new Set<string>();
  for (let at = 0; at < 100_000; at++) {
    client.breadcrumb({ message: `step ${at}` });
    ids.add(client.record({ kind: 'analytics', name: 'event', attrs: { at } }));
  }
  expect(ids.size).toBe(100_000);
  expect(await client.persist(WAIT_MS)).toBe('');
  const stored = rowsOf(folder).map(({ id }) => id);
  expect(new Set(stored).size).toBe(stored.length);
  expect(stored.every((id) => ids.has(id))).toBe(true);
  const all = client.status()?.status.refused as { count: number; kind: string | null; reason: string }[];
  // Breadcrumbs have no kind.
  const refused = all.filter(({ kind }) => kind !== null);
  // The ring holds as many in any case, however busy the machine is.
  expect(stored.length).toBeGreaterThan(1_000);
  expect(refused.every(({ reason }) => reason === 'ring_full')).toBe(true);
  expect(stored.length + refused.reduce((sum, { count }) => sum + count, 0)).toBe(100_000);
});
