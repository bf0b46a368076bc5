import { logEvent } from '../../api/analytics';
import { close, init } from '../../api/init';
import { freshApp, HOSTILE, QUIET } from '../../testing/app';
import { updateFacts } from '../expo-updates';

const app = globalThis as { expo?: unknown };

/** The members of the native module of expo-updates 55. */
const UPDATE = {
  isEmergencyLaunch: false,
  emergencyLaunchReason: null,
  launchDuration: 412,
  isEmbeddedLaunch: false,
  isEnabled: true,
  runtimeVersion: '1.4.0',
  checkAutomatically: 'ALWAYS',
  channel: 'production',
  updateId: '0191F0C1-7C1E-7A53-9B0E-3B6A3F0D9C11',
  commitTime: '2026-11-20T10:00:00.000Z',
};

function install(module: unknown): void {
  app.expo = { modules: { ExpoUpdates: module } };
}

afterEach(async () => {
  await close(0);
  delete app.expo;
});

test('update, channel and runtime version become tags, the rest a context', () => {
  install(UPDATE);
  expect(updateFacts()).toEqual({
    tags: {
      'expo.updates.update_id': '0191f0c1-7c1e-7a53-9b0e-3b6a3f0d9c11',
      'expo.updates.channel': 'production',
      'expo.updates.runtime_version': '1.4.0',
    },
    context: {
      is_enabled: true,
      is_embedded_launch: false,
      is_emergency_launch: false,
      launch_duration: 412,
      created_at: '2026-11-20T10:00:00.000Z',
    },
  });
});

test('an embedded launch without a channel has no tag of one', () => {
  install({ ...UPDATE, isEmbeddedLaunch: true, channel: '', updateId: undefined, commitTime: undefined });
  expect(updateFacts()?.tags).toEqual({ 'expo.updates.runtime_version': '1.4.0' });
  expect(updateFacts()?.context).toMatchObject({ is_embedded_launch: true });
});

test('an emergency launch says why', () => {
  install({ ...UPDATE, isEmergencyLaunch: true, emergencyLaunchReason: 'the update crashed' });
  expect(updateFacts()?.context).toMatchObject({
    is_emergency_launch: true,
    emergency_launch_reason: 'the update crashed',
  });
});

test('members that throw cost only themselves', () => {
  const module = { ...UPDATE };
  for (const name of ['updateId', 'isEnabled']) {
    Object.defineProperty(module, name, {
      get: () => {
        throw new Error(name);
      },
    });
  }
  install(module);
  expect(Object.keys(updateFacts()?.tags ?? {})).toEqual(['expo.updates.channel', 'expo.updates.runtime_version']);
  expect(updateFacts()?.context).not.toHaveProperty('is_enabled');
});

test.each([...HOSTILE.keys()])('a module that is no such thing (%i) does no harm', (at) => {
  const hostile = HOSTILE[at];
  install(hostile);
  expect(Object.keys(updateFacts()?.tags ?? {})).toEqual([]);
  app.expo = hostile;
  expect(updateFacts()).toBeUndefined();
  const { items } = freshApp();
  init(QUIET);
  logEvent('e');
  expect(items().map(({ name }) => name)).toEqual(['e']);
});

test('init tells them before the first event, with the dist as the app has given it', () => {
  install(UPDATE);
  const { items, settings } = freshApp();
  logEvent('before');
  init({ ...QUIET, release: 'shop@1.4.0+52', dist: '52' });
  expect(items().map(({ name }) => name)).toEqual([
    'expo.updates.update_id',
    'expo.updates.channel',
    'expo.updates.runtime_version',
    'ota_updates',
    'before',
  ]);
  expect(settings()).toMatchObject({ release: 'shop@1.4.0+52', dist: '52' });
});
