// What a call of the package costs JavaScript: `cargo xtask bench --react-native` runs it on the engine of a release.
//
// Every line stands beside its floor in the same run: `JSON.stringify` of the same item, or the engine's own call with an empty batch.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { minify } from 'terser';

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

/** All files of this package that an entry imports. */
function reachable(entry, seen = new Set()) {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const [, to] of readFileSync(entry, 'utf8').matchAll(/from ["'](\.[^"']+)["']/g)) {
    // What exists per platform is imported without an extension.
    reachable(path.resolve(path.dirname(entry), to.endsWith('.js') ? to : `${to}.js`), seen);
  }
  return seen;
}

async function size() {
  const files = [...reachable(path.join(root, 'lib/module/index.js'))];
  const all = await Promise.all(files.map((file) => minify(readFileSync(file, 'utf8'), { module: true })));
  const bytes = gzipSync(all.map(({ code }) => code).join('\n'), { level: 9 }).length;
  const holds = bytes <= 25 * 1024 ? 'holds' : 'MISSES';
  console.log(
    `js_bundle_gzip             ${(bytes / 1024).toFixed(1)} KiB  main entry, ${files.length} files, each minified alone  limit 25 KiB  ${holds}`,
  );
}

breadcrumb();
await batch();
await size();
