import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { confirm } from '../backup/lib/confirm.mjs';
import * as manifest from '../backup/lib/manifest.mjs';
import { render } from '../backup/lib/metrics.mjs';
import * as mongodb from '../backup/lib/mongodb.mjs';
import { run } from '../backup/lib/process.mjs';
import * as redis from '../backup/lib/redis.mjs';
import { Repository } from '../backup/lib/restic.mjs';
import { check } from '../backup/lib/settings.mjs';
import { Place } from '../backup/lib/swap.mjs';
import { local, makeFiles, makeHost, metric, picture, scratch } from './backup.mjs';
import { freePort, later, missing, OPS, output, start, until } from './programs.mjs';

const example = () => JSON.parse(fs.readFileSync(path.join(OPS, 'backup/backup.example.json'), 'utf8'));

test('the example of the settings is accepted', () => {
  const settings = check(example(), 'backup.json');
  assert.deepEqual(settings.retention, { daily: 7, weekly: 4, monthly: 12, yearly: 5 });
  assert.deepEqual(settings.objectives.database, { title: 'Database', rto: 3600, rpo: 93_600 });
  assert.deepEqual(
    settings.sources.map(({ service }) => service),
    ['database', 'cache', 'file-storage', 'load-balancer'],
  );
});

test('a wrong setting is named, with its field and what it must be', () => {
  const wrong = [
    [(it) => Object.assign(it, { sorces: [] }), /backup\.json: sorces: unknown field; known: host, repositories/],
    [(it) => Object.assign(it, { repositories: [] }), /repositories: must be a list with at least one entry/],
    [(it) => delete it.repositories[0].accessKey, /repositories\[0]\.accessKey: must be a text/],
    [(it) => Object.assign(it.repositories[0], { url: 's3:rezapp' }), /repositories\[0]\.url: must be s3:https:/],
    [(it) => Object.assign(it.repositories[0], { url: 's3:https://a:b@host/bucket' }), /must not contain a key/],
    [(it) => Object.assign(it.repositories[1], { name: 'primary' }), /repositories\[1]\.name: primary is there twice/],
    [
      (it) => Object.assign(it.sources[0], { kind: 'mysql' }),
      /sources\[0]\.kind: must be one of mongodb, redis, files/,
    ],
    [(it) => Object.assign(it.sources[2], { paths: ['media'] }), /sources\[2]\.paths\[0]: must be an absolute path/],
    [(it) => Object.assign(it.sources[2], { paths: ['/a/../b'] }), /paths\[0]: must be a plain path/],
    [(it) => Object.assign(it.sources[2], { paths: ['/a', '/a/b'] }), /paths: \/a\/b is inside another of them/],
    [
      (it) => Object.assign(it.sources[2], { service: 'disk' }),
      /sources\[2]\.service: disk has no entry in objectives/,
    ],
    [(it) => Object.assign(it.sources[2], { exclude: ['cache/*.tmp'] }), /exclude: cache\/\*\.tmp: must be names of/],
    [
      (it) => Object.assign(it.sources[2], { exclude: ['[ab].tmp'] }),
      /sources\[2]\.exclude: \[ab]\.tmp: must be names/,
    ],
    [(it) => Object.assign(it, { next: null }), /next: must be a list of texts/],
    [(it) => Object.assign(it, { next: 5 }), /next: must be a list of texts/],
    [(it) => Object.assign(it, { checkSubset: 'banana' }), /checkSubset: must be like 10%, 1\/10 or 5G/],
    [(it) => Object.assign(it.sources[2], { service: 'constructor' }), /service: constructor has no entry/],
    [(it) => Object.assign(it.sources[2], { kind: 'constructor' }), /sources\[2]\.kind: must be one of/],
    [(it) => Object.assign(it.sources[2], { name: 'media-incomplete' }), /sources\[2]\.name: .*without -incomplete/],
    [(it) => Object.assign(it.drill, { folder: '/var/lib' }), /drill\.folder: must be apart from .*of source redis/],
    [
      (it) => Object.assign(it.drill, { folder: '/var/lib/rezapp/media/drill' }),
      /drill\.folder: must be apart from \/var\/lib\/rezapp\/media of source media/,
    ],
    [(it) => Object.assign(it, { retention: { daily: -1 } }), /retention\.daily: must be a whole number/],
    [(it) => Object.assign(it, { retrySeconds: 0 }), /retrySeconds: must be a number above 0/],
    [(it) => Object.assign(it, { health: 'api' }), /health: must be a URL/],
    [
      (it) => Object.assign(it, { objectives: { database: { rto: 'soon' } } }),
      /objectives\.database\.rto: must be a number/,
    ],
  ];
  for (const [change, pattern] of wrong) {
    const settings = example();
    change(settings);
    assert.throws(
      () => check(settings, 'backup.json'),
      (error) => pattern.test(error.message) && error.code === 2,
      String(pattern),
    );
  }
});

test('wrong usage ends with 2 and says what is known', async (t) => {
  const host = makeHost(t, {
    repositories: local,
    sources: (at) => [{ name: 'media', kind: 'files', paths: [at('media')] }],
  });
  const wrong = [
    [['backup'], /unknown command backup/],
    [['run', '--yes'], /run has no option --yes/],
    [['run', '--source', 'video'], /no source video; they have media/],
    [['restore', '--snapshot', 'abcd1234'], /--snapshot needs one --source/],
    [['restore', '--at', 'yesterday'], /--at yesterday is no time/],
    [['restore', '--oplog-limit', 'now'], /--oplog-limit now is not SECONDS or SECONDS:ORDINAL/],
  ];
  for (const [args, pattern] of wrong) assert.match((await host.fails(2, ...args)).stderr, pattern);
  assert.match((await host.ok('--help')).stdout, /exit codes: 0 done, 1 failed, 2 wrong usage or settings, 75/);
});

test('the person at the terminal must type the name of the host', async () => {
  const ask = (answer) => {
    const input = Object.assign(new PassThrough(), { isTTY: true });
    input.end(`${answer}\n`);
    return confirm('This replaces the data of api-1.', 'api-1', { input, output: new PassThrough() });
  };
  await ask('api-1');
  await assert.rejects(ask('yes'), /that is not api-1: nothing was changed/);
  await assert.rejects(ask(''), /nothing was changed/);
});

test('a file that changes or goes while it is saved is counted, one that is damaged is an error', async (t) => {
  const folder = scratch(t, 'rez-manifest-');
  const root = path.join(folder, 'media');
  makeFiles(root, 6);
  const old = new Date('2026-01-01T00:00:00Z');
  for (const name of fs.readdirSync(root, { recursive: true })) fs.utimesSync(path.join(root, name), old, old);
  fs.utimesSync(root, old, old);
  const { files, links } = await manifest.list([root]);
  const saved = { source: 'media', started: '2026-01-01T02:00:00Z', paths: [root], files, links };
  const verify = () => manifest.verify(saved, (file) => file);
  assert.deepEqual(await verify(), { files: 6, bytes: 12_000, changed: 0, deleted: 0 });

  const [first, second] = Object.keys(files).filter((file) => path.dirname(file) === root);
  fs.writeFileSync(first, 'changed');
  fs.rmSync(second);
  assert.deepEqual(await verify(), { files: 5, bytes: 8007, changed: 1, deleted: 1 });
  fs.utimesSync(first, old, old);
  await assert.rejects(verify(), /has 7 bytes instead of 2000$/);
  // Its time is that of the manifest, although that is after the start of the backup: it did not change.
  const early = { ...saved, started: '2025-12-31T23:59:59.500Z' };
  await assert.rejects(
    manifest.verify(early, (file) => file),
    /has 7 bytes instead of 2000$/,
  );
  fs.utimesSync(root, old, old);
  await assert.rejects(verify(), /is missing/);
});

test('a snapshot of which more than half was changed or deleted meanwhile is refused', async (t) => {
  const root = path.join(scratch(t, 'rez-manifest-'), 'media');
  makeFiles(root, 6);
  const { files, links } = await manifest.list([root]);
  const saved = { source: 'media', started: '2026-01-01T02:00:00Z', paths: [root], files, links };
  const names = Object.keys(files);
  for (const name of names.slice(0, 3)) fs.rmSync(name);
  assert.equal((await manifest.verify(saved, (file) => file)).deleted, 3);
  fs.rmSync(names[3]);
  await assert.rejects(
    manifest.verify(saved, (file) => file),
    /4 of 6 were changed or deleted while they were saved/,
  );
  // Beside everything it is restored all the same.
  assert.equal((await manifest.verify(saved, (file) => file, { mostly: false })).deleted, 4);
});

test('an output is not cut, however long it is', async () => {
  const bytes = 72 * 1024 * 1024;
  const { stdout } = await run(process.execPath, ['-e', `process.stdout.write('x'.repeat(${bytes}))`]);
  assert.equal(stdout.length, bytes);
});

test('a file whose size and times are known is not read again', async (t) => {
  const folder = scratch(t, 'rez-manifest-');
  makeFiles(folder, 3);
  const { files } = await manifest.list([folder]);
  const [name] = Object.keys(files);
  const known = { ...files, [name]: { ...files[name], sha256: 'known' } };
  assert.equal((await manifest.list([folder], known)).files[name].sha256, 'known');
  fs.appendFileSync(name, 'more');
  assert.notEqual((await manifest.list([folder], known)).files[name].sha256, 'known');
});

test('what was replaced can be put back, and what an interrupted restore has left is not touched', (t) => {
  const folder = scratch(t, 'rez-swap-');
  const live = path.join(folder, 'media');
  makeFiles(live, 3);
  const before = picture(live);
  const place = new Place('/var/media', live, '1');
  fs.mkdirSync(place.staged('/var/media'), { recursive: true });
  fs.writeFileSync(place.staged('/var/media/new'), 'new');
  place.replace();
  assert.deepEqual(fs.readdirSync(live), ['new']);
  assert.throws(
    () => new Place('/var/media', live, '2').refuseLeftovers(),
    /media\.rez-old-1 is there: an earlier restore/,
  );
  place.undo();
  assert.deepEqual(picture(live), before);
  new Place('/var/media', live, '2').refuseLeftovers();
});

test('Redis with an append-only file, or one that runs, is not replaced', {
  skip: missing('redis-server', 'redis-cli'),
}, async (t) => {
  const folder = scratch(t, 'rez-redis-');
  const port = await freePort();
  const source = { name: 'redis', port, dumpFile: path.join(folder, 'dump.rdb') };
  const server = start('redis-server', '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '');
  later(t, () => server.stop());
  await until('Redis answers', () => output('redis-cli', '-p', String(port), 'PING').startsWith('PONG'), 30);
  await assert.rejects(redis.stop(source, {}), /Redis still runs: stop it, or name the command in "stop"/);
  fs.mkdirSync(path.join(folder, 'appendonlydir'));
  await assert.rejects(redis.stop(source, {}), /appendonlydir exists, and Redis would load it and not .*dump\.rdb/);
  await assert.rejects(redis.stop({ ...source, dumpFile: '/no/such/dump.rdb' }, {}), /install Redis first/);
});

test('metrics name what was never saved, and escape names', () => {
  const settings = check(example(), 'backup.json');
  const empty = render(settings, { runs: {}, checks: {} });
  assert.equal(metric(empty, 'rez_backup_last_success_timestamp_seconds', { source: 'mongodb', repository: 'geo' }), 0);
  assert.equal(metric(empty, 'rez_backup_drill_last_success_timestamp_seconds'), 0);
  assert.equal(metric(empty, 'rez_backup_last_run_success'), undefined);
  const quoted = { ...settings, repositories: [{ name: 'a"b\\c' }] };
  assert.ok(render(quoted, { runs: {}, checks: {} }).includes('repository="a\\"b\\\\c"'));
});

test('retention keeps 7 days, 4 weeks, 12 months and 5 years while the clock moves five years', {
  skip: missing('restic'),
}, async (t) => {
  const host = makeHost(t, {
    repositories: local,
    sources: (at) => [{ name: 'media', kind: 'files', paths: [at('media')] }],
  });
  makeFiles(host.at('media'), 1);
  const settings = check(host.settings, 'backup.json');
  const repository = new Repository(settings, settings.repositories[0]);
  await repository.init();
  const day = (text) => new Date(`${text}T02:00:00Z`);
  const days = (from, to) => {
    const all = [];
    for (let time = day(from); time <= day(to); time = new Date(time.getTime() + 86_400_000)) all.push(time);
    return all;
  };
  // Daily runs of five years and two months. Of the years before the last one only the last day of each quarter is made, of the last one
  // that of each month, of the last month each day: of the others no rule keeps one in the end. It takes half a minute and not half an hour.
  const isLast = (time) => new Date(time.getTime() + 86_400_000).getUTCDate() === 1;
  const isQuarter = (time) => time >= day('2030-01-01') || time.getUTCMonth() % 3 === 2;
  const isKept = (time) => (isLast(time) && isQuarter(time)) || time >= day('2031-02-01');
  const runs = days('2026-01-01', '2031-02-18').filter(isKept);
  const save = async (time, paths) => repository.backup({ host: 'api-1', source: 'media', paths, time });
  // Another source and another host of the same repository are not touched.
  await repository.backup({ host: 'api-1', source: 'redis', paths: [host.at('media')], time: day('2020-01-01') });
  await repository.backup({ host: 'api-2', source: 'media', paths: [host.at('media')], time: day('2020-01-01') });
  const forget = () => repository.forget({ host: 'api-1', retention: settings.retention, prune: false });
  fs.cpSync(host.at('media'), host.at('renamed'), { recursive: true });
  while (runs.length > 0) {
    const next = runs.splice(0, 12);
    // In the third year the path is renamed.
    const pathOf = (time) => [host.at(time < day('2028-06-01') ? 'media' : 'renamed')];
    for (let index = 0; index < next.length; index += 4) {
      await Promise.all(next.slice(index, index + 4).map((time) => save(time, pathOf(time))));
    }
    await forget();
  }
  const all = await repository.snapshots();
  const kept = all.filter((it) => it.host === 'api-1' && it.source === 'media');
  const years = ['2027-12-31', '2028-12-31', '2029-12-31', '2030-12-31'];
  const months = ['2030-03-31', '2030-04-30', '2030-05-31', '2030-06-30', '2030-07-31', '2030-08-31', '2030-09-30'];
  const newer = ['2030-10-31', '2030-11-30', '2031-01-31'];
  // Sundays, and the last one is this week.
  const weeks = ['2031-02-02', '2031-02-09'];
  const daily = days('2031-02-12', '2031-02-18').map((time) => time.toISOString().slice(0, 10));
  assert.deepEqual(
    kept.map(({ time }) => time.toISOString().slice(0, 10)),
    [...new Set([...years, ...months, ...newer, ...weeks, ...daily])].sort(),
  );
  assert.equal(all.filter((it) => it.source === 'redis').length, 1);
  assert.equal(all.filter((it) => it.host === 'api-2').length, 1);
});

test('mongodump and mongorestore get the URI in a file, and the oplog', () => {
  const oplog = ['--config=c.yml', '--archive=a', '--oplog'];
  assert.deepEqual(mongodb.dumpArguments('c.yml', 'a', true), oplog);
  assert.deepEqual(mongodb.dumpArguments('c.yml', 'a', false), oplog.slice(0, 2));
  const replay = ['--config=c.yml', '--archive=a', '--drop', '--oplogReplay', '--oplogLimit=1796000000:1'];
  assert.deepEqual(mongodb.restoreArguments('c.yml', 'a', { oplog: true, oplogLimit: '1796000000:1' }), replay);
  assert.deepEqual(mongodb.restoreArguments('c.yml', 'a', { oplog: false }), replay.slice(0, 3));
});

test('the counts that MongoDB tools report are read', () => {
  const log =
    '2026-12-01T02:00:00.000+0000\tdone dumping shop.orders (1000 documents)\n2026\tdone dumping shop.one (1 document)\n';
  assert.deepEqual(mongodb.dumped(log), { 'shop.orders': 1000, 'shop.one': 1 });
  const end = '2026\t998 document(s) restored successfully. 2 document(s) failed to restore.\n';
  assert.deepEqual(mongodb.restored(end), { documents: 998, failed: 2 });
  assert.throws(() => mongodb.restored('Failed: error connecting'), /did not report how many documents/);
});

test('without mongodump the source of MongoDB fails, and the others are saved', {
  skip: missing('restic') || (!missing('mongodump') && 'mongodump is in PATH'),
}, async (t) => {
  const sources = (at) => [
    { name: 'mongodb', kind: 'mongodb', uri: 'mongodb_uri' },
    { name: 'media', kind: 'files', paths: [at('media')] },
  ];
  const host = makeHost(t, { repositories: local, sources });
  makeFiles(host.at('media'), 1);
  await host.ok('init');
  assert.match((await host.fails(1, 'run')).stderr, /the secret mongodb_uri of source mongodb is missing: write it to/);
  host.secret('mongodb_uri', 'mongodb://user:password@127.0.0.1:27017');
  const { stdout, stderr } = await host.fails(1, 'run');
  assert.match(stderr, /mongodump is not in PATH: install the MongoDB Database Tools/);
  assert.match(stdout, /media: snapshot/);
});

const MONGODB = ['mongod', 'mongodump', 'mongorestore', 'mongoimport', 'mongoexport'];
test('MongoDB is saved, drilled, dropped and restored with all its documents', {
  skip: missing('restic') || (missing(...MONGODB) && `no ${MONGODB.join(', ')} in PATH: no package has them here`),
}, async (t) => {
  const serve = async () => {
    const port = await freePort();
    const server = start(
      'mongod',
      '--dbpath',
      scratch(t, 'rez-mongodb-'),
      '--port',
      String(port),
      '--bind_ip',
      '127.0.0.1',
    );
    later(t, () => server.stop());
    return `mongodb://127.0.0.1:${port}`;
  };
  const [uri, drill] = [await serve(), await serve()];
  // The oplog needs a replica set.
  const sources = () => [{ name: 'mongodb', kind: 'mongodb', uri: 'mongodb_uri', oplog: false }];
  const host = makeHost(t, { repositories: local, sources, settings: { drill: { mongodbUri: 'drill_uri' } } });
  host.secret('mongodb_uri', uri);
  host.secret('drill_uri', drill);
  const documents = Array.from({ length: 1000 }, (_, index) => JSON.stringify({ _id: index, name: `order ${index}` }));
  fs.writeFileSync(host.at('orders.json'), documents.join('\n'));
  const collection = ['--uri', `${uri}/shop`, '--collection', 'orders'];
  await until(
    'MongoDB answers',
    () => output('mongoimport', ...collection, '--drop', host.at('orders.json')) === '',
    60,
  );
  await host.ok('init');
  await host.ok('run');
  assert.match((await host.ok('drill')).stdout, /1000 documents restored into the scratch database/);
  fs.writeFileSync(host.at('orders.json'), documents[0]);
  output('mongoimport', ...collection, '--drop', host.at('orders.json'));
  assert.match((await host.ok('restore', '--yes')).stdout, /1000 documents restored/);
  assert.equal(
    output('mongoexport', ...collection)
      .trim()
      .split('\n').length,
    1000,
  );
});
