import { expect, test } from 'vitest';
import { run } from './child';
import { newFolder, rowsOf } from './engine';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

test.each([
  ['an uncaught exception', `setTimeout(() => { throw new RangeError('no such cart'); });`, 'onuncaughtexception'],
  ['a rejection', `Promise.reject(new RangeError('no such cart'));`, 'onunhandledrejection'],
])('%s of a request is a crash with its trace and its user, without initSentry', async (_what, fails, mechanism) => {
  const folder = newFolder();
  const crashed = await run(
    `const { createServer } = await import('node:http');
    rez.init();
    const server = createServer((request) => {
      request.user = { id: 'asha' };
      ${fails}
    }).listen(0, () => {
      fetch('http://127.0.0.1:' + server.address().port, { headers: { traceparent: '00-${TRACE}-00f067aa0ba902b7-01' } });
    });`,
    { REZ_FOLDER: folder },
  );
  // The exit and the output are those of Node.js.
  expect([crashed.by, crashed.stderr]).toEqual([1, expect.stringContaining('no such cart')]);
  await run('rez.init(); await rez.close(20_000);', { REZ_FOLDER: folder });
  const crashes = rowsOf(folder).filter(({ kind }) => kind === 'crash');
  expect(crashes).toMatchObject([
    {
      json: {
        type: 'RangeError',
        message: 'no such cart',
        mechanism,
        trace: { trace_id: TRACE },
        user: { id: 'asha' },
      },
    },
  ]);
});
