import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { client } from '../src/core/monitor';
import { captureException, close, flush, init, isDurable, status } from '../src/index';
import { forget } from './app';
import { addonFile, newFolder, rowsOf } from './engine';

afterEach(() => close(20_000));

test('an error that was captured is a row, with the name of the app and its frames', async () => {
  const folder = newFolder();
  expect(init({ folder, app: 'rezapp-api', release: 'rezapp-api@2.4.1' })).toBe(true);
  const id = captureException(new RangeError('no such cart'), { code: 'CART' });
  expect(await client().persist(20_000)).toBe('');
  const [row] = rowsOf(folder);
  expect(row).toMatchObject({ id, kind: 'error', json: { type: 'RangeError', message: 'no such cart', code: 'CART' } });
});

test('a thing that is no error, frozen, or throws when it is read is recorded, and nothing is thrown', async () => {
  const folder = newFolder();
  init({ folder });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const throwing = {
    get message() {
      throw new Error('no');
    },
  };
  for (const thrown of [
    'text',
    null,
    undefined,
    7,
    Object.freeze(new Error('frozen')),
    throwing,
    circular,
    Symbol('s'),
  ]) {
    expect(captureException(thrown, { context: circular })).not.toBe('');
  }
  expect(await client().persist(20_000)).toBe('');
  expect(rowsOf(folder)).toHaveLength(8);
});

test('an engine that nobody opened opens with what the environment says', () => {
  forget('monitor');
  process.env.REZ_FOLDER = newFolder();
  try {
    expect(captureException(new Error('early'))).not.toBe('');
    expect(isDurable()).toBe(true);
    expect(status()?.status.folder).toBe(process.env.REZ_FOLDER);
  } finally {
    delete process.env.REZ_FOLDER;
  }
});

test('without the addon the process goes on in memory, and says so once', () => {
  const script = `
    const { init, captureException, isDurable, flush } = await import(${JSON.stringify(join(import.meta.dirname, '../lib/index.js'))});
    init({ folder: ${JSON.stringify(newFolder())} });
    for (let at = 0; at < 3; at++) captureException(new Error('x'));
    console.log(isDurable(), (await flush(10)).error);`;
  const environment = { ...process.env, REZ_NODE_ADDON: '/nowhere/at-all.node' };
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: environment,
    encoding: 'utf8',
  });
  expect(run.stdout).toMatch(/^false .*at-all\.node/);
  expect(run.stderr.match(/neither stored nor delivered/g)).toHaveLength(1);
  expect(addonFile).not.toBe('');
});

test('a folder that cannot be made is a sentence, and nothing is thrown', async () => {
  init({ folder: '/proc/nowhere/queue', logger: { info() {}, warn() {}, error() {} } });
  captureException(new Error('x'));
  expect((await flush(100)).destinations).toEqual([]);
});
