/** Debug ids and the facts of `expo-updates`, from the bundle's registry to the bytes that Sentry's protocol gets. */
import { addBreadcrumb, captureException, close, flush, forgetUser, init } from '../src';
import { setClient } from '../src/core/carrier';
import { Client } from '../src/core/client';
import { newEngine, newFolder, WAIT_MS } from './addon';
import { Collector } from './collector';

const ID = '85314830-023f-5cf1-a267-535f4e37bb17';
const app = globalThis as { _debugIds?: unknown; expo?: unknown };

afterEach(async () => {
  await close(WAIT_MS);
  delete app._debugIds;
  delete app.expo;
});

/** An error as a release of Android throws it. */
function released(message: string): Error {
  return Object.assign(new TypeError(message), {
    stack: `TypeError: ${message}\n    at pay (address at index.android.bundle:1:767)`,
  });
}

test('the images of an error name the file of its frames, with tags of the update and dist, also after the user is forgotten', async () => {
  const collector = await Collector.start();
  collector.answer = () => '{}';
  app._debugIds = { 'Error\n    at global (address at index.android.bundle:1:9)': ID };
  app.expo = { modules: { ExpoUpdates: { updateId: ID, channel: 'production', runtimeVersion: '1.4.0' } } };
  setClient(new Client({ port: newEngine() }));
  captureException(released('before init'));
  const opened = init({
    consent: { monitoring: 'granted', analytics: 'granted' },
    folder: newFolder(),
    app: 'shop',
    release: 'shop@1.4.0+52',
    dist: '52',
    errors: false,
    rejections: false,
    network: false,
    breadcrumbConsole: false,
    sentry: { dsn: `${collector.url.replace('://', '://key@')}/1` },
  });
  expect(opened.problems).toEqual([]);
  addBreadcrumb({ message: 'Pay' });
  captureException(released('declined'));
  await flush(WAIT_MS);
  forgetUser();
  captureException(released('forgotten'));
  await flush(WAIT_MS);
  const events = collector.requests
    .flatMap(({ body }) => body.toString().split('\n'))
    .filter((line) => line.includes('"exception"'))
    .map((line) => JSON.parse(line));
  expect(events.map(({ exception }) => exception.values[0].value)).toEqual(['before init', 'declined', 'forgotten']);
  for (const event of events) {
    const [frame] = event.exception.values[0].stacktrace.frames;
    expect(event.debug_meta.images).toEqual([
      { type: 'sourcemap', debug_id: ID, code_file: frame.abs_path ?? frame.filename },
    ]);
    expect(event.dist).toBe('52');
    expect(event.tags).toMatchObject({
      'expo.updates.update_id': ID,
      'expo.updates.channel': 'production',
      'expo.updates.runtime_version': '1.4.0',
    });
  }
});
