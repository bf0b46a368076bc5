/** What a crash leaves: the process dies right after `recordFatal` returned, and the next start delivers the event once. */
import { spawnSync } from 'node:child_process';
import { batch, newFolder, open, settings, WAIT_MS } from './addon';
import { Collector } from './collector';

const PAYMENT = {
  kind: 'error',
  id: '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11',
  type: 'PaymentError',
  message: 'card declined',
  handled: false,
};

/** Records in a process that kills itself without a chance to write anything more. */
function recordAndDie(folder: string, method: 'recordBatch' | 'recordFatal', document: string): void {
  const program = `
    const { RezMonitor } = require(process.env.REZ_NODE_ADDON);
    const engine = new RezMonitor();
    const opened = JSON.parse(engine.open(process.argv[1], ''));
    if (opened.error || !engine[process.argv[2]](process.argv[3])) process.exit(1);
    process.kill(process.pid, 'SIGKILL');
  `;
  const child = spawnSync(process.execPath, ['-e', program, settings(folder), method, document]);
  expect({ signal: child.signal, stderr: child.stderr.toString() }).toEqual({ signal: 'SIGKILL', stderr: '' });
}

test.each(['recordFatal', 'recordBatch'] as const)(
  'an event of %s before a kill is delivered once by the next starts',
  async (method) => {
    const collector = await Collector.start();
    const folder = newFolder();
    const before = { breadcrumb: { category: 'ui.click', message: 'Pay' } };
    recordAndDie(folder, method, batch(before, PAYMENT));
    for (let start = 0; start < 3; start++) {
      const { engine } = open({ destinations: [collector.destination()] }, null, folder);
      const { destinations } = JSON.parse(await engine.flush(WAIT_MS));
      expect(destinations).toMatchObject([{ destination: 'team', left: 0 }]);
      expect(collector.events()).toHaveLength(1);
      await engine.close(WAIT_MS);
    }
    expect(collector.events()).toMatchObject([
      {
        id: PAYMENT.id,
        kind: method === 'recordFatal' ? 'crash' : 'error',
        type: 'PaymentError',
        trail: [{ category: 'ui.click', message: 'Pay' }],
      },
    ]);
  },
);

test('a crash that a server has refused for now is delivered when it answers again', async () => {
  const collector = await Collector.start();
  const folder = newFolder();
  recordAndDie(folder, 'recordFatal', batch(PAYMENT));
  collector.status = 503;
  const { engine } = open({ destinations: [collector.destination()] }, null, folder);
  expect(JSON.parse(await engine.flush(WAIT_MS)).destinations).toMatchObject([{ delivered: 0, left: 1, held: {} }]);
  await engine.close(WAIT_MS);
  collector.status = 200;
  const again = open({ destinations: [collector.destination()] }, null, folder);
  expect(JSON.parse(await again.engine.flush(WAIT_MS)).destinations).toMatchObject([{ left: 0 }]);
  const fate = JSON.parse(await again.engine.why(PAYMENT.id, WAIT_MS));
  expect(fate.routes).toMatchObject([{ route: 'team/rez.batch', state: 'delivered' }]);
});
