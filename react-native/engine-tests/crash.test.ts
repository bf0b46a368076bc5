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

/** Starts an engine in a process that calls a method of it, and returns the signal that ended it and what it printed. */
function ended(folder: string, more: object, kind: string): { signal: string | null; stdout: string } {
  const program = `
    const { RezMonitor } = require(process.env.REZ_NODE_ADDON);
    const engine = new RezMonitor();
    if (JSON.parse(engine.open(process.argv[1], '')).error) process.exit(1);
    console.log(engine.testCrash(process.argv[2]));
  `;
  const child = spawnSync(process.execPath, ['-e', program, settings(folder, { sessions: true, ...more }), kind]);
  return { signal: child.signal, stdout: child.stdout.toString() };
}

test.each([
  ['fault', 'SIGSEGV'],
  ['abort', 'SIGABRT'],
  ['panic', 'SIGABRT'],
])('after the test crash %s the next start knows of %s, once', async (kind, signal) => {
  const folder = newFolder();
  expect(ended(folder, { nativeCrashes: true, inspector: true }, kind)).toEqual({ signal, stdout: '' });
  const { engine, rows } = open({ nativeCrashes: true }, null, folder);
  const last = JSON.parse(await engine.lastRun(WAIT_MS));
  expect(last).toMatchObject({ ended: 'crashed', crash: { type: signal, mechanism: 'signal' } });
  const crashes = (await rows()).filter((row) => row.kind === 'crash');
  expect(crashes.map(({ id }) => id)).toEqual([last.crash.id]);
  await engine.close(WAIT_MS);
  expect(JSON.parse(await open({}, null, folder).engine.lastRun(WAIT_MS))).toEqual({ ended: 'closed', crash: null });
});

test('without the inspector a test crash is a sentence, and so is an unknown kind', () => {
  const refused = ended(newFolder(), { nativeCrashes: true, inspector: false }, 'fault');
  expect(refused).toEqual({ signal: null, stdout: expect.stringContaining('`inspector`') });
  expect(ended(newFolder(), { inspector: true }, 'exception').stdout).toContain('fault, abort or panic');
});

test('there is no last run before the first, and a fatal error of JavaScript is the crash of the last one', async () => {
  const { engine, folder } = open({ sessions: true });
  expect(await engine.lastRun(WAIT_MS)).toBe('null');
  engine.recordFatal(batch(PAYMENT));
  await engine.close(WAIT_MS);
  const last = JSON.parse(await open({}, null, folder).engine.lastRun(WAIT_MS));
  expect(last).toMatchObject({ ended: 'crashed', crash: { id: PAYMENT.id, type: 'PaymentError' } });
  expect(last.crash.support_code).toMatch(/^[0-9a-f]{6}$/);
});

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
