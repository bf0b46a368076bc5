// An app on a device: the real engine with its queue. `node app.mjs FOLDER ENDPOINT KEY [crash]`, with REZ_NODE_ADDON set.
//
// It shows screens, calls an API and loses an event, and sends that to rezIngest; `crash` ends it in a crash before it is sent.
import { createRequire } from 'node:module';

const [folder, endpoint, key, end] = process.argv.slice(2);
const { RezMonitor } = createRequire(import.meta.url)(process.env.REZ_NODE_ADDON);
const engine = new RezMonitor();
const destinations = [{ name: 'rez', kind: 'rez', endpoint, key }];
const opened = JSON.parse(
  engine.open(JSON.stringify({ folder, app: 'rez-shop', release: 'rez-shop@1.0.0', destinations }), '{}'),
);
if (opened.error) throw new Error(opened.error);
for (const purpose of ['monitoring', 'analytics']) engine.setConsent(purpose, 'granted');

const call = (duration_us) => ({
  kind: 'api_call',
  method: 'GET',
  url: 'https://api.rezapp.com/products/4711',
  duration_us,
  status: 200,
});
const items = [
  { kind: 'screen_load', name: 'Product', duration_us: 300_000 },
  { kind: 'screen_load', name: 'Product', duration_us: 9_000_000 },
  call(120_000),
  call(640_000),
  // No engine knows this kind: it is counted as lost.
  { kind: 'no_such_kind' },
];
engine.recordBatch(JSON.stringify({ v: 1, items }));
if (end === 'crash') {
  engine.recordFatal(JSON.stringify({ v: 1, items: [{ kind: 'crash', type: 'TypeError', message: 'of undefined' }] }));
  process.kill(process.pid, 'SIGKILL');
}
const flushed = JSON.parse(await engine.flush(30_000));
if (flushed.error) throw new Error(flushed.error);
// Two sessions: the first one has ended and is sent.
engine.newSession();
await engine.flush(30_000);
await engine.close(5_000);
