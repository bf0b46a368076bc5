import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { CONFIG } from './alertmanager.mjs';
import { freePort, json, missing, start, until } from './programs.mjs';

const nodeDown = { alertname: 'NodeDown', severity: 'P1', node: 'api-1' };
const apiDown = { alertname: 'ApiDown', severity: 'P0', service: 'api' };
const nginxDown = { alertname: 'NginxDown', severity: 'P0', node: 'api-1' };
const mongoDown = { alertname: 'MongoDown', severity: 'P0', service: 'mongodb' };
const mongoNodeDown = { alertname: 'MongoNodeDown', severity: 'P1', node: 'mongodb-1' };
const healthFailing = { alertname: 'ApiHealthFailing', severity: 'P0' };
const instanceDown = { alertname: 'ApiInstanceDown', severity: 'P2', node: 'api-1' };
const withoutNode = ({ node, ...labels }) => labels;
const escalated = (alert, labels) => ({ alertname: 'EscalatedP1', alert, severity: 'P1', ...labels });
const budget = (sloth_severity) => ({ alertname: 'ApiErrorBudgetBurn', severity: 'P1', sloth_severity });

/** What fires, what fires beside it, and whether that one is silent. One row at least for each rule of the configuration. */
const PAIRS = [
  [nodeDown, instanceDown, true],
  [nodeDown, { ...instanceDown, node: 'api-2' }, false],
  [withoutNode(nodeDown), withoutNode(instanceDown), false],
  [nodeDown, nginxDown, false],
  [withoutNode(nodeDown), mongoDown, false],
  [nodeDown, escalated('RedisDown', { node: 'api-1' }), true],
  [nodeDown, escalated('NodeDown', { node: 'api-1' }), false],
  [apiDown, instanceDown, true],
  [apiDown, budget('page'), true],
  [apiDown, healthFailing, true],
  [apiDown, { alertname: 'HighDiskUsage', severity: 'P2', node: 'api-1' }, false],
  [nginxDown, healthFailing, true],
  [nginxDown, instanceDown, false],
  [nginxDown, budget('page'), false],
  [mongoDown, healthFailing, true],
  [mongoDown, mongoNodeDown, true],
  [mongoDown, escalated('MongoNodeDown', { node: 'mongodb-1' }), true],
  [mongoDown, apiDown, false],
  [mongoNodeDown, { alertname: 'MongoReplicationLag', severity: 'P2', node: 'mongodb-1' }, true],
  [mongoNodeDown, { alertname: 'MongoHighCpu', severity: 'P2', node: 'mongodb-2' }, false],
  [withoutNode(mongoNodeDown), { alertname: 'MongoPrimaryElection', severity: 'P2' }, false],
  [mongoNodeDown, mongoDown, false],
  [budget('page'), budget('ticket'), true],
  [budget('page'), { ...budget('ticket'), alertname: 'ApiLatencyBudgetBurn' }, false],
];

const name = ({ alertname, ...labels }) => `${alertname} ${JSON.stringify(labels)}`;

test('an alert is silent while its cause fires, and no other', { skip: missing('alertmanager') }, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-ops-'));
  const port = await freePort();
  // The real file, on a machine without its secrets.
  const program = start(
    'alertmanager',
    ...[`--config.file=${CONFIG}`, `--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='],
    `--storage.path=${folder}`,
  );
  t.after(async () => {
    await program.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${port}/api/v2/alerts`;
  await until('Alertmanager is ready', async () => {
    if (!program.running) throw new Error(program.log());
    return (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok;
  });
  const post = async (alerts) => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(alerts) });
    assert.ok(response.ok, await response.text());
  };
  const isSilent = async (target) => {
    const alert = (await json(url)).find(({ labels }) => isDeepStrictEqual(labels, target));
    return alert && alert.status.inhibitedBy.length > 0;
  };
  for (const [row, [source, target, silent]] of PAIRS.entries()) {
    const what = `${name(target)} while ${name(source)} fires`;
    // The inhibitor gets to know alerts one after the other, later than the list of alerts: when the pair that comes last is
    // silent, it knows the others, and has forgotten those of the row before.
    const node = `witness-${row}`;
    const witness = { alertname: 'HighDiskUsage', severity: 'P2', node };
    const all = [source, target, { ...nodeDown, node }, witness];
    for (const labels of all) await post([{ labels }]);
    await until(`${name(witness)} is silent`, () => isSilent(witness));
    assert.equal(await isSilent(target), silent, what);
    const endsAt = new Date(Date.now() - 1000).toISOString();
    await post(all.map((labels) => ({ labels, endsAt })));
    await until('all of them have ended', async () => (await json(url)).length === 0);
  }
});
