import { freshApp } from '../../testing/app';
import { crashedLastRun, lastCrash } from '../crashes';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

const CRASH = {
  id: '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11',
  type: 'SIGSEGV',
  mechanism: 'signal',
  at_ms: 1_795_400_000_000,
  since_start_ms: 1_200,
  support_code: '0d9c11',
};

function after(answer: unknown) {
  freshApp({ lastRun: () => Promise.resolve(typeof answer === 'string' ? answer : JSON.stringify(answer)) });
}

test('the crash of the run before is told with what an app needs to say sorry', async () => {
  after({ ended: 'crashed', crash: CRASH });
  expect(await crashedLastRun()).toBe(true);
  expect(await lastCrash()).toEqual({
    id: CRASH.id,
    type: 'SIGSEGV',
    mechanism: 'signal',
    atMs: CRASH.at_ms,
    sinceStartMs: 1_200,
    supportCode: '0d9c11',
  });
});

test('what is not known of a crash is absent', async () => {
  after({ ended: 'crashed', crash: { ...CRASH, mechanism: null, since_start_ms: null, support_code: null } });
  expect(await lastCrash()).toEqual({ id: CRASH.id, type: 'SIGSEGV', atMs: CRASH.at_ms });
});

test.each(['closed', 'exited', 'abnormal', 'unknown', 'of a newer engine'])(
  'a run that is %s has not crashed',
  async (ended) => {
    after({ ended, crash: null });
    expect([await crashedLastRun(), await lastCrash()]).toEqual([false, null]);
  },
);

test.each(['null', '{"error":"it took longer than 5 s"}', '', '[', '5', '{"ended":5}', '{"crash":{}}'])(
  'the answer %s says that nothing is known',
  async (answer) => {
    after(answer);
    expect([await crashedLastRun(), await lastCrash()]).toEqual([null, null]);
  },
);

test('a native side that is older, throws or rejects is the same as none', async () => {
  for (const lastRun of [
    undefined,
    () => {
      throw new Error('native');
    },
    () => Promise.reject(new Error('native')),
  ]) {
    freshApp({ lastRun } as never);
    expect([await crashedLastRun(), await lastCrash()]).toEqual([null, null]);
  }
});

test('the wait of the caller reaches the engine', async () => {
  const { port } = freshApp();
  await crashedLastRun(250);
  await lastCrash();
  expect(port.calls).toEqual([
    ['lastRun', 250],
    ['lastRun', 5_000],
  ]);
});
