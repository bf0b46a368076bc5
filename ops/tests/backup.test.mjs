import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import test from 'node:test';
import { makeFiles, makeHost, makeRedis, metric, picture, scratch, startStorage } from './backup.mjs';
import { freePort, later, missing, start, until } from './programs.mjs';

const PROGRAMS = ['restic', 'versitygw', 'redis-server', 'redis-cli', 'redis-check-rdb'];

test('everything is saved in two storages, deleted, and restored as it was', {
  skip: missing(...PROGRAMS),
}, async (t) => {
  const storages = scratch(t, 'rez-storage-');
  const primary = await startStorage(t, 'primary', `${storages}/primary`);
  const geo = await startStorage(t, 'geo', `${storages}/geo`, { accessKey: 'another', secretKey: 'other-secret' });
  const host = makeHost(t, {
    storage: [primary, geo],
    sources: (at) => [
      { name: 'redis', kind: 'redis', dumpFile: at('redis/dump.rdb') },
      { name: 'media', kind: 'files', paths: [at('media')] },
      { name: 'configuration', kind: 'files', service: 'load-balancer', paths: [at('etc/nginx'), at('etc/api.env')] },
    ],
  });
  const { at } = host;
  const redis = await makeRedis(t, at('redis'));
  host.secret('redis_password', 'the-redis-password');
  const settings = {
    sources: [redis.source, ...host.settings.sources.slice(1)],
    next: ['docker compose up -d'],
    health: 'http://127.0.0.1:9/api/health',
  };
  host.change(settings);

  makeFiles(at('media'), 40);
  fs.mkdirSync(at('etc/nginx'), { recursive: true });
  fs.writeFileSync(at('etc/nginx/nginx.conf'), 'worker_processes auto;\n', { mode: 0o640 });
  fs.symlinkSync('nginx.conf', at('etc/nginx/link.conf'));
  fs.writeFileSync(at('etc/api.env'), 'PORT=5001\n', { mode: 0o600 });
  for (let index = 0; index < 200; index += 1) redis.cli('SET', `key-${index}`, `value-${index}`);
  redis.cli('SET', 'session', 'short', 'EX', '3600');
  const before = { media: picture(at('media')), nginx: picture(at('etc')) };

  await t.test('a run without a repository says how to make one', async () => {
    const { stderr } = await host.fails(1, 'run', '--source', 'media', '--repository', 'primary');
    assert.match(stderr, /repository primary .*no repository is reachable there: .*`rez-backup init`/);
    assert.equal(metric(host.metrics(), 'rez_backup_last_run_success', { source: 'media', repository: 'primary' }), 0);
    assert.equal(metric(host.metrics(), 'rez_backup_last_success_timestamp_seconds', { source: 'media' }), 0);
  });

  await t.test('init makes both, and does nothing to one that is there', async () => {
    assert.match((await host.ok('init')).stdout, /primary: made at .*\ngeo: made at /);
    assert.match((await host.ok('init')).stdout, /primary: is there already\ngeo: is there already/);
  });

  await t.test('a run saves each source in both', async () => {
    const since = Date.now() / 1000;
    const { stdout } = await host.ok('run');
    await host.ok('check');
    for (const source of ['redis', 'media', 'configuration']) {
      for (const repository of ['primary', 'geo']) {
        assert.match(stdout, new RegExp(`${source}: snapshot [0-9a-f]{8} in ${repository}, [\\d.]+ \\w+ added`));
        const labels = { source, repository };
        assert.equal(metric(host.metrics(), 'rez_backup_last_run_success', labels), 1);
        assert.ok(metric(host.metrics(), 'rez_backup_last_success_timestamp_seconds', labels) >= since - 1);
        assert.ok(metric(host.metrics(), 'rez_backup_bytes_added', labels) > 0);
        assert.ok(metric(host.metrics(), 'rez_backup_duration_seconds', labels) > 0);
      }
    }
    assert.equal(metric(host.metrics(), 'rez_backup_source_bytes', { source: 'media' }), 40 * 2000);
    assert.equal(metric(host.metrics(), 'rez_backup_check_success', { repository: 'geo' }), 1);
    assert.deepEqual(fs.readdirSync(at('textfile')), ['rez_backup.prom']);
    assert.deepEqual(fs.readdirSync(at('state/staging')), []);
  });

  await t.test('nothing in the storage can be read without the password', () => {
    const readable = (text) => {
      try {
        execFileSync('grep', ['-rlaF', text, storages]);
        return true;
      } catch {
        return false;
      }
    };
    assert.ok(fs.readdirSync(`${storages}/primary/backups/api-1/data`, { recursive: true }).length > 3);
    assert.equal(readable('api-1'), false);
    assert.equal(readable('worker_processes'), false);
    assert.equal(readable('key-17'), false);
  });

  await t.test('promtool accepts the metrics', { skip: missing('promtool') }, () => {
    execFileSync('promtool', ['check', 'metrics'], { input: host.metrics(), stdio: ['pipe', 'pipe', 'pipe'] });
  });

  await t.test('node_exporter serves the metrics', { skip: missing('node_exporter') }, async () => {
    const port = await freePort();
    const exporter = start(
      'node_exporter',
      `--web.listen-address=127.0.0.1:${port}`,
      '--collector.disable-defaults',
      '--collector.textfile',
      `--collector.textfile.directory=${at('textfile')}`,
    );
    later(t, () => exporter.stop());
    const text = await until('node_exporter answers', async () =>
      (await fetch(`http://127.0.0.1:${port}/metrics`)).text(),
    );
    assert.equal(metric(text, 'rez_backup_last_run_success', { source: 'redis', repository: 'geo' }), 1);
    assert.equal(metric(text, 'node_textfile_scrape_error'), 0);
  });

  await t.test('list and status show what there is', async () => {
    const { stdout } = await host.ok('list');
    assert.equal(stdout.match(/^\| (primary|geo) +\| (redis|media|configuration) /gm).length, 6);
    assert.match((await host.ok('status')).stdout, /\| media +\| geo +\| [\d.]+ (s|min) +\| 78\.1 KiB \| ok/);
  });

  await t.test('the drill restores all of it beside the data, measures, and compares with the guide', async () => {
    const { stdout } = await host.ok('drill');
    t.diagnostic(stdout);
    assert.match(stdout, /\| File storage +\| yes +\| [\d.]+ (s|min) of 2 h +\| [\d.]+ (s|min) of 24 h +\|/);
    assert.match(stdout, /\| Load balancer +\| yes +\| [\d.]+ (s|min) of 15 min +\| [\d.]+ (s|min) +\|/);
    assert.match(stdout, /\| Complete system +\| yes +\| [\d.]+ (s|min) of 4 h +\| [\d.]+ (s|min) of 1 h +\|/);
    assert.match(stdout, /201 keys loaded into a scratch Redis/);
    assert.match(stdout, /40 files, 78\.1 KiB, SHA-256 as in the manifest/);
    const text = host.metrics();
    assert.equal(metric(text, 'rez_backup_drill_success'), 1);
    assert.ok(metric(text, 'rez_backup_drill_rto_seconds', { objective: 'system' }) > 0);
    assert.equal(metric(text, 'rez_backup_drill_rto_target_seconds', { objective: 'file-storage' }), 7200);
    assert.equal(metric(text, 'rez_backup_drill_rpo_target_seconds', { objective: 'load-balancer' }), undefined);
    assert.deepEqual(fs.readdirSync(at('state/drill')), []);
    assert.equal(fs.readdirSync(at('state/reports')).length, 2);
    assert.deepEqual(picture(at('media')), before.media);
  });

  await t.test('a target that is missed is shown, and with --strict it is a failure', async () => {
    host.change({ ...settings, objectives: { 'file-storage': { rto: 0 } } });
    const { stdout, stderr } = await host.fails(1, 'drill', '--source', 'media', '--strict');
    assert.match(stdout, /File storage +\| yes +\| [\d.]+ (s|min) of 0 s: ABOVE/);
    assert.match(stderr, /File storage misses its target/);
    host.change(settings);
  });

  await t.test('restore does nothing without a terminal and without --yes', async () => {
    fs.writeFileSync(at('media/new.jpg'), 'new');
    const { stdout, stderr } = await host.fails(2, 'restore');
    assert.match(stdout, /\| media +\| [0-9a-f]{8} \(primary\) \|/);
    assert.match(stderr, /no terminal to ask at, and no --yes: nothing was changed/);
    assert.equal(fs.readFileSync(at('media/new.jpg'), 'utf8'), 'new');
    fs.rmSync(at('media/new.jpg'));
  });

  await t.test('after everything is deleted, restore brings all of it back', async () => {
    redis.down();
    for (const name of ['media', 'etc', 'state', 'redis']) fs.rmSync(at(name), { recursive: true });
    // A new host has an empty Redis.
    fs.mkdirSync(at('redis'));
    await redis.up();
    assert.match(redis.cli('DBSIZE'), /^0/);
    const begin = Date.now();
    const { stdout } = await host.ok('restore', '--yes');
    t.diagnostic(`restored in ${Date.now() - begin} ms\n${stdout}`);
    assert.match(stdout, /redis: 201 keys loaded/);
    assert.match(stdout, /next:\n {2}1\. docker compose up -d\n {2}2\. rez-backup health /);
    assert.deepEqual(Object.keys(picture(at('media'))), Object.keys(before.media));
    assert.deepEqual(picture(at('media')), before.media);
    const etc = Object.entries(picture(at('etc'))).filter(([name]) => name !== 'nginx');
    assert.deepEqual(
      etc,
      Object.entries(before.nginx).filter(([name]) => name !== 'nginx'),
    );
    assert.match(redis.cli('GET', 'key-199'), /^value-199/);
    assert.match(redis.cli('DBSIZE'), /^201/);
    const left = fs.readdirSync(at(), { recursive: true }).filter((name) => /\.rez-(restore|old)-/.test(name));
    assert.deepEqual(left, []);
  });

  await t.test('a path that was renamed keeps its history, and the old snapshot goes to the old path', async () => {
    fs.renameSync(at('media'), at('pictures'));
    const [, , configuration] = host.settings.sources;
    const renamed = { ...host.settings.sources[1], paths: [at('pictures')] };
    host.change({ ...settings, sources: [redis.source, renamed, configuration] });
    const time = new Date().toISOString();
    await until('the clock is in another second', () => Date.now() > Date.parse(time) + 1000);
    await host.ok('run', '--source', 'media', '--repository', 'primary');
    // One snapshot of each day is kept, in one group.
    const { stdout } = await host.ok('list', '--repository', 'primary', '--source', 'media');
    const days = new Set([...stdout.matchAll(/ (\d{4}-\d\d-\d\d) [\d:]+ UTC/g)].map(([, day]) => day));
    assert.equal(stdout.match(/\| primary +\| media /g).length, days.size);
    assert.match(stdout, /pictures/);
    await host.ok('restore', '--repository', 'geo', '--source', 'media', '--at', time, '--yes');
    assert.deepEqual(picture(at('media')), before.media);
    host.change(settings);
  });

  await t.test('when the first storage is gone, the second one is used', async () => {
    await primary.stop();
    fs.rmSync(at('media'), { recursive: true });
    const { stdout } = await host.ok('restore', '--source', 'media', '--yes');
    assert.match(stdout, /media: repository primary .*the storage does not answer/);
    assert.deepEqual(picture(at('media')), before.media);
    const list = await host.ok('list');
    assert.equal(list.stdout.match(/^\| geo +\| (redis|media|configuration) /gm).length, 3);
    assert.match(list.stderr, /repository primary .*the storage does not answer/);
    await host.fails(1, 'list', '--repository', 'primary');
  });

  await t.test('a storage that is gone fails the run, and the other one has the snapshot', async () => {
    const { stdout, stderr } = await host.fails(1, 'run', '--source', 'media');
    assert.match(stdout, /media: snapshot [0-9a-f]{8} in geo/);
    assert.match(stderr, /repository primary .*the storage does not answer: check the URL/);
    const text = host.metrics();
    assert.equal(metric(text, 'rez_backup_last_run_success', { source: 'media', repository: 'primary' }), 0);
    assert.equal(metric(text, 'rez_backup_last_run_success', { source: 'media', repository: 'geo' }), 1);
  });

  await t.test('the health check waits for the API, and fails without one', async () => {
    const server = http.createServer((_request, response) => response.end('ok'));
    later(t, () => server.close());
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const health = `http://127.0.0.1:${server.address().port}/api/health`;
    host.change({ ...settings, health, healthSeconds: 1 });
    assert.match((await host.ok('health')).stdout, /\/api\/health: 200/);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const { stderr } = await host.fails(1, 'health');
    assert.match(stderr, /api\/health does not answer with success within/);
  });
});
