/** More than one copy of the package in a process: after a hot reload, of its two builds, of two installs. They share one state. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type * as Rez from '../src';
import type { Client } from '../src/core/client';
import { newEngine, newFolder, rowsOf, WAIT_MS } from './addon';
import { newClient } from './client';
import { Collector } from './collector';

jest.mock('react-native', () => require('./neighbours/platform').reactNative);

const consent = { monitoring: 'granted', analytics: 'granted' } as const;
const other = join(__dirname, `guide-copy-${process.pid}`);

let folder: string;
let client: Client;

beforeAll(() => {
  mkdirSync(other, { recursive: true });
  cpSync(join(__dirname, '../src'), join(other, 'src'), {
    recursive: true,
    filter: (path) => !path.includes('__tests__'),
  });
});
afterAll(() => rmSync(other, { recursive: true, force: true }));
beforeEach(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  folder = newFolder();
  client = newClient({ port: newEngine() });
});
afterEach(() => jest.restoreAllMocks());

/** A copy with modules of its own. */
function copy(path = '../src'): typeof Rez {
  let found: typeof Rez | undefined;
  jest.isolateModules(() => {
    found = require(path) as typeof Rez;
  });
  return found as typeof Rez;
}

const config = () => ({ folder, app: 'shop', release: 'shop@1', sessions: false, breadcrumbConsole: false, consent });

async function rows(kind: string): Promise<Record<string, unknown>[]> {
  expect(await client.persist(WAIT_MS)).toBe('');
  return rowsOf(folder)
    .filter((row) => row.kind === kind)
    .map(({ json }) => json);
}

const PAIRS: [string, () => (typeof Rez)[]][] = [
  ['a second init of the same copy', () => Array(2).fill(copy())],
  ['a hot reload, or the other build of the package', () => [copy(), copy()]],
  ['a second install', () => [copy(), copy(join(other, 'src'))]],
];

describe.each(PAIRS)('%s', (_, pair) => {
  test('installs nothing twice, records once, and the last one that closes restores what was there', async () => {
    const server = await Collector.start();
    server.answer = () => '{}';
    const once = `${server.url}/once`;
    const { fetch: before } = globalThis;
    const [first, second] = pair() as [typeof Rez, typeof Rez];
    expect(first.init(config()).observed).toContain('fetch');
    const ours = globalThis.fetch;
    expect(ours).not.toBe(before);
    const again = second.init({ ...config(), rez: { endpoint: 'http://127.0.0.1:1', key: 'k' } });
    expect(again).toEqual({ recording: true, problems: [] });
    expect(globalThis.fetch).toBe(ours);
    await fetch(once);
    expect((await rows('api_call')).map(({ url }) => url)).toEqual([once]);
    const { destinations } = await second.flush(WAIT_MS);
    expect(destinations.map(({ destination }) => destination)).toEqual(['rez']);
    await second.close(WAIT_MS);
    expect(globalThis.fetch).toBe(before);
  });

  test('shares user, hooks, screens and consent', async () => {
    const [first, second] = pair() as [typeof Rez, typeof Rez];
    second.setUser({ id: 'u-42' });
    second.logEvent('early');
    const dropped = (item: Rez.EventItem) => (item.kind === 'message' ? null : item);
    first.init({ ...config(), beforeSend: dropped });
    const screen = first.trackScreenLoad('Cart');
    const call = second.trackAPICall('GET', 'https://api.shop.example/cart');
    call.finish({ status: 200 });
    screen.finish();
    second.captureMessage('dropped by the hook of the first');
    expect(second.unsupportedFeatures()).toEqual(first.unsupportedFeatures());
    const [early] = await rows('analytics');
    expect(early).toMatchObject({ name: 'early', user: { id: 'u-42' } });
    expect(await rows('message')).toEqual([]);
    expect(await rows('api_call')).toMatchObject([{ trace: { parent: screen.trace.span_id } }]);
    second.setConsent('analytics', 'denied');
    first.logEvent('refused');
    expect(await rows('analytics')).toEqual([]);
    await first.close(WAIT_MS);
    expect(second.init({ enabled: false, consent })).toMatchObject({ recording: false });
  });
});
