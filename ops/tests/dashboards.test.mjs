import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { later, OPS, until } from './programs.mjs';
import { startShop, unavailable } from './shop.mjs';

const GRAFANA = path.join(OPS, 'grafana');
const FOLDER = path.join(GRAFANA, 'dashboards');
const installed = fs.existsSync(path.join(GRAFANA, 'node_modules'))
  ? false
  : 'no ops/grafana/node_modules: npm ci there';
const dashboards = fs
  .readdirSync(FOLDER)
  .map((name) => [name, JSON.parse(fs.readFileSync(path.join(FOLDER, name), 'utf8'))]);
const panels = dashboards.flatMap(([, { panels }]) => panels);
const queries = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
const provisioned = (name) => parse(fs.readFileSync(path.join(GRAFANA, 'provisioning', name), 'utf8'));

/** Runs a program of Node.js in the folder of the dashboards. */
function node(...args) {
  try {
    return execFileSync(process.execPath, args, { cwd: GRAFANA, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error(error.stdout + error.stderr);
  }
}

test('the dashboards are what their sources make', { skip: installed }, () => {
  node('generate.mjs', '--check');
});

test('the sources and the JSON have the types of the SDK', { skip: installed }, (t) => {
  // In node_modules, so that the types are found and nothing is left in the checkout.
  const folder = fs.mkdtempSync(path.join(GRAFANA, 'node_modules/types-'));
  later(t, () => fs.rmSync(folder, { recursive: true }));
  const files = dashboards.map(([name, dashboard]) => {
    const file = path.join(folder, name.replace('.json', '.ts'));
    fs.writeFileSync(file, `${TYPES}export const dashboard: Checked = ${JSON.stringify(dashboard)};\n`);
    return file;
  });
  const tsc = ['node_modules/typescript/bin/tsc', '--noEmit', '--strict', '--skipLibCheck', '--allowJs', '--checkJs'];
  node(...tsc, '--target', 'es2022', '--module', 'nodenext', ...files, 'api.mjs', 'mobile.mjs', 'panels.mjs');
});

/** The SDK's type of a target has no members: it is that of any data source. */
const TYPES = `import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
type Target = Omit<Dataquery, '_implementsDataqueryVariant'>;
type Checked = Omit<Dashboard, 'panels'> & { panels: (Omit<Panel, 'targets'> & { targets: Target[] })[] };
`;

test('the first dashboard has the six panels of the guide', () => {
  const [, { panels }] = dashboards.find(([name]) => name === 'api.json');
  assert.deepEqual(
    panels.map(({ title }) => title),
    ['API Response Time', 'Error Rate', 'Active Users', 'Database Queries', 'Cache Hit Rate', 'Payment Success Rate'],
  );
});

test('panels and alerts name the data source and the dashboards that are provisioned', () => {
  const [{ uid }] = provisioned('datasources/prometheus.yml').datasources;
  for (const { title, targets, datasource } of panels) {
    for (const of of [datasource, ...targets.map((target) => target.datasource)]) assert.equal(of.uid, uid, title);
  }
  const known = dashboards.map(([, dashboard]) => dashboard.uid);
  for (const { rules } of provisioned('alerting/rez.yml').groups) {
    for (const { title, condition, data, annotations } of rules) {
      assert.ok(known.includes(annotations.__dashboardUid__), title);
      assert.ok(
        data.some(({ refId }) => refId === condition),
        title,
      );
      for (const { datasourceUid } of data) assert.ok([uid, '__expr__'].includes(datasourceUid), title);
    }
  }
});

test('every query of the dashboards and alerts returns data under load', { skip: unavailable() }, async (t) => {
  const shop = await startShop(t);
  const of = async (title) => shop.query(queries.find((query) => query.title === title).expr);
  // Before the first failure there is no series of it: the panel shows 0, not "No data".
  const [{ value: none }] = await until('requests are scraped twice', async () => {
    await shop.call('/products/1');
    const result = await of('Error Rate');
    return result.length > 0 && Number.isFinite(result[0].value) && result;
  });
  assert.equal(none, 0);
  const load = async () => {
    for (let id = 1; id <= 6; id++) await shop.call(`/products/${id}`);
    await shop.call('/products/1');
    await shop.call('/cart', { id: 1, quantity: 1 });
    for (const fault of ['none', 'none', '503', 'declined']) await shop.call('/pay', { amount: 49, fault });
  };
  const value = async (expression) => (await shop.query(expression))[0]?.value;
  // The app crashes, tells of it in its next run, and ends a session there without a crash.
  const crashAndRun = async () => {
    await shop.app('crash').catch(({ signal }) => assert.equal(signal, 'SIGKILL'));
    await shop.app();
  };
  await load();
  await crashAndRun();
  // A rate needs a counter twice: each of them is scraped before the second run increases it, and after.
  const counters = [
    'app_session_ended_total{app_session_status="crashed"}',
    'app_session_ended_total{app_session_status="exited"}',
    'app_queue_dropped_total',
  ];
  const scraped = async (least) => {
    for (const counter of counters) {
      await until(`${counter} is at least ${least}`, async () => (await value(counter)) >= least);
    }
  };
  await scraped(1);
  await crashAndRun();
  await scraped(2);

  const alerts = provisioned('alerting/rez.yml').groups.flatMap(({ rules }) =>
    rules.flatMap(({ title, data }) =>
      data.filter(({ model }) => model.expr).map(({ model }) => ({ title, expr: model.expr })),
    ),
  );
  // The alert needs more sessions than there are here; without its limit it has data.
  const crashes = alerts.find(({ title }) => title.startsWith('Crash-free'));
  const limited = crashes.expr;
  crashes.expr = limited.replace(/ > 100$/, ' > 0');
  for (const { title, expr } of [...queries, ...alerts]) {
    await until(`${title} has data: ${expr}`, async () => {
      await load();
      const result = await shop.query(expr);
      return result.length > 0 && result.every(({ value }) => Number.isFinite(value));
    });
  }
  assert.deepEqual(await shop.query(limited), []);
  // The numbers are those of what happened; a rate grows with the second scrape of its series.
  const between = async (title, low, high, job) => {
    await until(`${title} is between ${low} and ${high}`, async () => {
      await load();
      const result = await of(title);
      const { value } = job ? result.find(({ metric }) => metric.job === job) : result[0];
      assert.ok(value > low && value < high, String(value));
      return true;
    });
  };
  await between('Cache Hit Rate', 0.3, 1);
  await between('Payment Success Rate', 0.4, 0.6);
  await between('Error Rate', 0, 0.2);
  await between('Crash-Free Sessions', 0, 1, 'rez-shop');
  assert.ok((await of('Database Queries')).every(({ metric }) => metric.command !== 'other'));
  const losses = await of('Queue Losses by Reason');
  assert.deepEqual(
    losses.map(({ metric }) => metric.app_queue_reason),
    ['malformed'],
  );
  // The app has loaded a screen in 0.3 s and in 9 s, and called in 0.12 s and in 0.64 s: a quantile is inside of a bucket.
  const [slow, ...more] = await of('Slow Screens');
  assert.equal(slow.metric.app_screen_name, 'Product');
  assert.ok(Math.abs(slow.value - 0.5) < 0.01, String(slow.value));
  assert.deepEqual(more, []);
  const [screen] = await of('Screen Load p95');
  assert.ok(screen.value > 7.5 && screen.value <= 10, String(screen.value));
  const call = (await of('API p95 from the Device')).find(({ metric }) => metric.url_template === '/products/{id}');
  assert.ok(call.value > 0.5 && call.value <= 0.75, String(call.value));
});
