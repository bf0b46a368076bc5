import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Client } from '../../react-native/src/core/client';
import { noPort } from '../../react-native/src/native/port';
import { platformPackage } from '../src/core/addon';
import { tellLog } from '../src/core/engine-log';
import { settingsOf } from '../src/core/options';
import { addDestination, captureMessage, close, init, isDurable, status } from '../src/index';
import { forget, type Line, logged } from './app';
import { run } from './child';
import { newFolder, rowsOf } from './engine';

let lines: Line[] = [];
let folder = '';

beforeEach(() => {
  lines = logged();
  forget('monitor');
  folder = newFolder();
  vi.stubEnv('REZ_FOLDER', folder);
});

afterEach(async () => {
  await close(20_000);
  vi.unstubAllEnvs();
});

const said = () => lines.map(({ message }) => message).join('\n');

const throwing = Object.defineProperty({}, 'destinations', {
  enumerable: true,
  get() {
    throw new Error('no');
  },
});

test.each([
  ['null', null, /^$/],
  ['a number', 7, /options are not an object/],
  ['a text', 'folder', /options are not an object/],
  ['destinations that are a number', { destinations: 5 }, /destinations is not a list/],
  [
    'destinations without values',
    { destinations: [undefined, null, 5] },
    /destination \(without a name\): not an object/,
  ],
  ['destinations that throw', () => throwing, /^$/],
  ['settings that throw', () => ({ settings: throwing }), /^$/],
  ['settings that are a text', { settings: 'debug' }, /^$/],
  ['limits that are a number', { limits: 5 }, /^$/],
] as [string, unknown, RegExp][])(
  'init with %s opens the engine, and says what is wrong',
  (_what, options, sentence) => {
    // The runner reads a value that is listed.
    expect(init((typeof options === 'function' ? options() : options) as never)).toBe(true);
    expect(status()?.status.folder).toBe(folder);
    expect(said()).toMatch(sentence);
  },
);

test.each([
  ['undefined', () => undefined],
  ['null', () => null],
  ['a number', () => 5],
  ['a text', () => 'rez'],
  ['a list', () => []],
  ['an object that throws', () => throwing],
  ['a name that is a symbol', () => ({ name: Symbol('s') })],
])('a destination that is %s is a sentence', (_what, given) => {
  init();
  expect(addDestination(given() as never)).not.toBe('');
  expect(said()).toMatch(/destination \(without a name\): /);
  expect(captureMessage('goes on')).not.toBe('');
});

test('a process whose working directory was removed goes on, and says what to set', async () => {
  const script = (options: string) => `
    const { mkdtempSync, rmdirSync } = await import('node:fs');
    const { join } = await import('node:path');
    const gone = mkdtempSync(join((await import('node:os')).tmpdir(), 'rez-gone-'));
    process.chdir(gone);
    rmdirSync(gone);
    const durable = rez.init(${options});
    rez.startMetrics();
    console.log(durable, rez.captureMessage('here') !== '');
    await rez.close(20_000);`;
  const without = await run(script(''), { REZ_FOLDER: '', STATE_DIRECTORY: '' });
  expect([without.by, without.stdout]).toEqual([0, 'false true\n']);
  expect(without.stderr).toMatch(/working directory has been removed; set REZ_FOLDER/);
  const kept = newFolder();
  const withFolder = await run(script(`{ folder: ${JSON.stringify(kept)} }`));
  expect([withFolder.by, withFolder.stdout]).toEqual([0, 'true true\n']);
  expect(rowsOf(kept)).toHaveLength(1);
});

test('without a folder that can be used events are counted, and not kept', () => {
  expect(init({ folder: 'a\0b' })).toBe(false);
  for (let at = 0; at < 5; at++) captureMessage('x');
  expect(status()).toMatchObject({
    status: { engine: 'memory', events: 5 },
    lines: [expect.stringMatching(/^No engine: /), '5 events were recorded, and none is stored.'],
  });
  expect(isDurable()).toBe(false);
});

test('the engine tells its log without the inspector and the test mode of apps', () => {
  const defaults = { debug: true, inspector: false, testMode: false };
  expect(settingsOf({}, {})).toMatchObject(defaults);
  expect(settingsOf({ settings: { debug: false } }, {})).toMatchObject({ ...defaults, debug: false });
});

test('an error and a warning of the engine keep their level, and anything else is a detail', () => {
  const told = ['error', 'warning', 'info', 'toString'].map((level) => ({ level, code: 'c', text: level }));
  tellLog(new Client({ port: { ...noPort, takeLog: () => JSON.stringify(told) } }));
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['error', '[rez] error'],
    ['warn', '[rez] warning'],
    ['debug', '[rez] info'],
    ['debug', '[rez] toString'],
  ]);
});

test.runIf(process.platform === 'linux')('the C library is looked up without the names of connected addresses', () => {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork: boolean };
  const before = report.excludeNetwork;
  const during: boolean[] = [];
  const asked = vi.spyOn(report, 'getReport').mockImplementation(() => {
    during.push(report.excludeNetwork);
    return { header: { glibcVersionRuntime: '2.36' } };
  });
  try {
    expect(platformPackage()).toMatch(/-gnu$/);
    expect([during, report.excludeNetwork]).toEqual([[true], before]);
  } finally {
    asked.mockRestore();
  }
});
