import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newFolder, rowsOf } from './engine';

test('two copies of the package have one monitor, and a request that fails is one row', () => {
  const folder = newFolder();
  const library = JSON.stringify(join(import.meta.dirname, '../lib/index'));
  const script = `
    import { createServer } from 'node:http';
    import { createRequire } from 'node:module';
    const one = await import(${library} + '.js');
    const other = createRequire(import.meta.url)(${library} + '.cjs');
    process.on('unhandledRejection', () => process.exit(3));
    one.init();
    other.init();
    const server = createServer((request, response) => {
      one.performanceMiddleware(request, response, () => {
        response.statusCode = 500;
        response.end();
      });
    }).listen(0, async () => {
      await (await fetch('http://127.0.0.1:' + server.address().port)).text();
      server.close();
      console.log(other.performanceMonitor.getMetrics().length);
      await other.close();
    });`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, REZ_FOLDER: folder },
    encoding: 'utf8',
  });
  expect([run.status, run.stdout, run.stderr]).toEqual([0, '1\n', '']);
  const rows = rowsOf(folder)
    .map(({ kind, json }) => [kind, json.status])
    .sort();
  expect(rows).toEqual([
    // The caller sees a failed call, the server a failed request.
    ['api_call', 500],
    ['span', 'error'],
  ]);
});
