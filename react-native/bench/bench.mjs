// What a call of the package costs JavaScript: `cargo xtask bench --react-native` runs it on the engine of a release.
//
// Every line stands beside its floor in the same run: `JSON.stringify` of the same item, or the engine's own call with an empty batch;
// or beside `@sentry/react-native`. The packages of the peer are those of this folder: `npm ci --ignore-scripts` here first.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { measured } from './peer.mjs';

const root = path.resolve(import.meta.dirname, '..');
const require = createRequire(import.meta.url);
const { Client } = require(path.join(root, 'lib/commonjs/core/client.js'));
const { RezMonitor } = require(process.env.REZ_NODE_ADDON);

/** Calls in one measurement, and measurements of one line. */
const CALLS = 50;
const ROUNDS = 2_000;

/** The median of one call in nanoseconds. `before` runs outside the measurement. */
function median(run, before = () => undefined) {
  const all = [];
  for (let round = 0; round < ROUNDS; round++) {
    before();
    const start = process.hrtime.bigint();
    for (let call = 0; call < CALLS; call++) run(call);
    all.push(Number(process.hrtime.bigint() - start) / CALLS);
  }
  return all.sort((a, b) => a - b)[ROUNDS / 2];
}

function line(name, ns, floor, limitUs) {
  const us = (value) => `${(value / 1_000).toFixed(2)} us`;
  const holds = limitUs === undefined ? '' : ns <= limitUs * 1_000 ? '  holds' : '  MISSES';
  console.log(
    `${name.padEnd(26)} ${us(ns).padStart(10)}  floor ${us(floor).padStart(9)}  limit ${limitUs ?? '-'} us${holds}`,
  );
}

const crumb = {
  category: 'ui.tap',
  message: 'tap on PayButton',
  level: 'info',
  data: { screen: 'Cart', items: 3, total: 1499.5 },
};

function breadcrumb() {
  // The documents go nowhere: this is the cost up to the batch.
  const client = new Client({
    port: { open: () => '{"seed":""}', recordBatch: () => true },
    schedule: () => undefined,
  });
  client.open({});
  const cost = median(
    () => client.breadcrumb(crumb),
    () => client.drain(),
  );
  line(
    'js_add_breadcrumb',
    cost,
    median(() => JSON.stringify({ breadcrumb: crumb })),
    2,
  );
  const event = median(
    () => client.record({ kind: 'analytics', name: 'add_to_cart', attrs: crumb.data }),
    () => client.drain(),
  );
  line(
    'js_log_event',
    event,
    median(() => JSON.stringify({ kind: 'analytics', name: 'add_to_cart', attrs: crumb.data })),
  );
}

function batch() {
  const folder = mkdtempSync(path.join(tmpdir(), 'rez-bench-'));
  const engine = new RezMonitor();
  const settings = { folder, app: 'shop', release: 'shop@1', sessions: false, capBytes: 1 << 30 };
  const opened = engine.open(
    JSON.stringify({ ...settings, consentMonitoring: 'granted', consentAnalytics: 'granted' }),
    '',
  );
  if (JSON.parse(opened).error) throw new Error(opened);
  const items = Array.from({ length: 100 }, (_, at) =>
    JSON.stringify({ kind: 'analytics', name: `event ${at}`, attrs: crumb.data }),
  );
  const document = `{"v":1,"items":[${items.join(',')}]}`;
  const all = [];
  const floors = [];
  return (async () => {
    for (let round = 0; round < 300; round++) {
      // The writer has room again: this measures the caller, not a full ring.
      await engine.persist(10_000);
      let start = process.hrtime.bigint();
      const recorded = engine.recordBatch(document);
      all.push(Number(process.hrtime.bigint() - start));
      if (!recorded) throw new Error('the ring is full');
      start = process.hrtime.bigint();
      engine.recordBatch('{"v":1,"items":[]}');
      floors.push(Number(process.hrtime.bigint() - start));
    }
    const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
    line('js_batch_100_to_core', middle(all), middle(floors), 300);
    await engine.close(1_000);
    rmSync(folder, { recursive: true, force: true });
  })();
}

/** The package beside its peer, in the same run. */
async function peers() {
  const { ours, sentry } = await measured();
  const row = (name, of, limit) => {
    const [own, peer] = [of(ours), of(sentry)].map((value) => value.toFixed(value < 10 ? 2 : 1));
    const holds = limit === undefined ? '' : of(ours) <= limit ? '  holds' : '  MISSES';
    const [label, unit] = name;
    console.log(
      `${label.padEnd(26)} ${`${own} ${unit}`.padStart(10)}  @sentry/react-native ${`${peer} ${unit}`.padStart(10)}  limit ${limit ?? '-'}${holds}`,
    );
  };
  row(['js_init_ms', 'ms'], ({ initMs }) => initMs);
  row(['js_add_breadcrumb_to_native', 'us'], ({ breadcrumbNs }) => breadcrumbNs / 1_000);
  row(['js_capture_message', 'us'], ({ messageNs }) => messageNs / 1_000);
  row(['js_bundle_gzip', 'KiB'], ({ gzip }) => gzip / 1_024, 25);
  row(['js_bundle_gzip_with_pages', 'KiB'], ({ gzipAll }) => gzipAll / 1_024);
}

breadcrumb();
await batch();
await peers();
