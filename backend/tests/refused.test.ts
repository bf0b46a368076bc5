/** What the app learns when the engine cannot take or store an event. */
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { close, init, isDurable } from '../src/core/monitor';
import { AlertSeverity, alertService, captureException } from '../src/index';
import { lib, run } from './child';
import { newFolder, rowsOf } from './engine';
import { until } from './waiting';

afterEach(() => close(20_000));

const quiet = { info() {}, warn() {}, error() {} };

test('a folder that cannot be used is not durable, and an event that is refused has no id', async () => {
  init({ folder: '/proc/nowhere/queue', logger: quiet });
  await until(() => !isDurable());
  const text = 'x'.repeat(2_000);
  const ids = Array.from({ length: 2_000 }, () => captureException(new Error(text)));
  // The ring in memory holds some of them.
  expect(ids[0]).not.toBe('');
  expect(ids.at(-1)).toBe('');
  expect(await alertService.sendAlert(AlertSeverity.INFO, 'Cart', text.repeat(4))).toBe('');
});

test('an option that comes too late is told by its name, and the same one again is not', () => {
  const lines: string[] = [];
  const logger = { ...quiet, warn: (line: string) => lines.push(line) };
  const folder = newFolder();
  init({ folder, app: 'shop', logger });
  init({ folder, app: 'shop', environment: 'staging' });
  expect(lines.filter((line) => line.includes('too late'))).toEqual([
    expect.stringContaining('init: environment come too late'),
  ]);
});

test('a logger that is async and rejects ends no process', async () => {
  const ended = await run(
    `const fails = async () => { throw new Error('the log server is gone'); };
    rez.init({ logger: { info: fails, warn: fails, error: fails } });
    await rez.alertService.sendAlert('info', 'Cart', 'full');
    await rez.close(0);`,
    { REZ_FOLDER: newFolder() },
  );
  expect(ended).toMatchObject({ by: 0, stderr: '' });
});

test('a global __filename, as in a script of the command line, does not hide the engine', async () => {
  const ended = await run(`globalThis.__filename = 'bundle.js'; console.log(rez.init()); await rez.close(0);`, {
    REZ_FOLDER: newFolder(),
  });
  expect(ended).toMatchObject({ by: 0, stdout: 'true\n' });
});

test('a worker that closes ends only its own part: the main thread goes on', async () => {
  const folder = newFolder();
  const ended = await run(
    `const { Worker } = await import('node:worker_threads');
    rez.init();
    const worker = new Worker(
      "const rez = require(process.env.LIB); rez.init(); rez.captureException(new Error('of the worker')); rez.close(5000)",
      { eval: true, execArgv: [] },
    );
    await new Promise((resolve) => worker.once('exit', resolve));
    console.log(rez.captureException(new Error('of the main thread')) !== '', rez.isDurable());
    await rez.close(20_000);`,
    { REZ_FOLDER: folder, LIB: join(lib, 'index.cjs') },
  );
  expect(ended).toMatchObject({ by: 0, stdout: 'true true\n' });
  expect(rowsOf(folder).map(({ json }) => json.message)).toEqual(['of the worker', 'of the main thread']);
});
