import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { CONFIG } from './alertmanager.mjs';
import { freePort, later, missing, start, until } from './programs.mjs';
import { PROMETHEUS } from './rules.mjs';

/** The metrics with this prefix that the rules use. */
function used(prefix) {
  const folder = path.join(PROMETHEUS, 'rules');
  const rules = fs
    .readdirSync(folder)
    .flatMap((name) => parse(fs.readFileSync(path.join(folder, name), 'utf8')).groups);
  const text = rules.flatMap(({ rules }) => rules.map(({ expr }) => expr)).join('\n');
  return [...new Set(text.match(new RegExp(`(?<![\\w:])${prefix}_\\w+`, 'g')))].sort();
}

/** Asserts that these metrics are in an answer of an exporter. */
async function emitted(t, names, program, url) {
  later(t, () => program.stop());
  assert.ok(names.length > 0);
  // The first answer can be one of a program that has only begun.
  await until(`${program.name} emits all of them`, async () => {
    if (!program.running) throw new Error(program.log());
    const response = await fetch(url);
    const text = await response.text();
    const absent = names.filter((name) => !new RegExp(`^${name}[{ ]`, 'm').test(text));
    if (!response.ok || absent.length > 0) throw new Error(`${response.status}, without ${absent.join()}`);
    return true;
  });
}

test('node_exporter emits what the rules use', { skip: missing('node_exporter') }, async (t) => {
  const address = `127.0.0.1:${await freePort()}`;
  // The systemd collector needs systemd: the test `host-live` shows its metrics.
  const names = used('node').filter((name) => !name.startsWith('node_systemd_'));
  await emitted(t, names, start('node_exporter', `--web.listen-address=${address}`), `http://${address}/metrics`);
});

test('the blackbox exporter emits what the rules use, but for the certificate', {
  skip: missing('prometheus-blackbox-exporter'),
}, async (t) => {
  const address = `127.0.0.1:${await freePort()}`;
  const file = path.join(PROMETHEUS, 'blackbox.yml');
  const program = start('prometheus-blackbox-exporter', `--config.file=${file}`, `--web.listen-address=${address}`);
  // Without TLS the probe fails, as it should, and has no certificate.
  const names = used('probe').filter((name) => name !== 'probe_ssl_earliest_cert_expiry');
  const target = encodeURIComponent(`http://${address}/-/healthy`);
  await emitted(t, names, program, `http://${address}/probe?module=https_2xx&target=${target}`);
});

test('Alertmanager emits what the rules use', { skip: missing('alertmanager') }, async (t) => {
  const address = `127.0.0.1:${await freePort()}`;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-ops-'));
  later(t, () => fs.rmSync(folder, { recursive: true, force: true }));
  // The real file, on a machine without secrets: it starts.
  const program = start(
    'alertmanager',
    ...[`--config.file=${CONFIG}`, `--web.listen-address=${address}`, '--cluster.listen-address='],
    `--storage.path=${folder}`,
  );
  await emitted(t, used('alertmanager'), program, `http://${address}/metrics`);
});

test('the Redis exporter emits what the rules use', { skip: missing('prometheus-redis-exporter') }, async (t) => {
  const address = `127.0.0.1:${await freePort()}`;
  // Without a Redis, which is what redis_up tells.
  const redis = `redis://127.0.0.1:${await freePort()}`;
  const program = start('prometheus-redis-exporter', `-web.listen-address=${address}`, `-redis.addr=${redis}`);
  await emitted(t, used('redis'), program, `http://${address}/metrics`);
});

test('the nginx exporter emits what the rules use', { skip: missing('prometheus-nginx-exporter') }, async (t) => {
  // What nginx answers at stub_status.
  const STATUS =
    'Active connections: 3 \nserver accepts handled requests\n 7 7 9 \nReading: 0 Writing: 1 Waiting: 2 \n';
  const nginx = http.createServer((_, response) => response.end(STATUS));
  await new Promise((resolve) => nginx.listen(0, '127.0.0.1', resolve));
  later(t, () => nginx.close());
  const address = `127.0.0.1:${await freePort()}`;
  const uri = `http://127.0.0.1:${nginx.address().port}/stub_status`;
  const program = start('prometheus-nginx-exporter', `-web.listen-address=${address}`, `-nginx.scrape-uri=${uri}`);
  await emitted(t, used('nginx'), program, `http://${address}/metrics`);
});
