import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import {
  filesOf,
  leftovers,
  local,
  makeFiles,
  makeHost,
  makeRedis,
  media,
  metric,
  mount,
  noTmpfs,
  picture,
  saved,
  scratch,
  startStorage,
} from './backup.mjs';
import { later, missing, until } from './programs.mjs';

test('a damaged snapshot is an error, and nothing is overwritten', { skip: missing('restic') }, async (t) => {
  const host = await saved(t);
  await host.ok('check');
  fs.writeFileSync(host.at('media/picture-1.jpg'), 'changed since');
  const now = picture(host.at('media'));
  for (const file of filesOf(host.at('repository/data'))) {
    const bytes = fs.readFileSync(file);
    for (let at = 0; at < bytes.length - 200; at += 50) bytes[at] ^= 0xff;
    fs.chmodSync(file, 0o600);
    fs.writeFileSync(file, bytes);
  }
  fs.rmSync(host.at('state/cache'), { recursive: true });

  await t.test('restore', async () => {
    const { stderr } = await host.fails(1, 'restore', '--yes');
    assert.match(stderr, /repository primary .*: restic (dump|restore): /);
    assert.deepEqual(picture(host.at('media')), now);
    assert.deepEqual(leftovers(host), []);
  });
  await t.test('drill, which fails and tells of it', async () => {
    const { stdout } = await host.fails(1, 'drill');
    assert.match(stdout, /\| File storage +\| NO /);
    assert.equal(metric(host.metrics(), 'rez_backup_drill_success'), 0);
    assert.equal(metric(host.metrics(), 'rez_backup_drill_last_success_timestamp_seconds'), 0);
  });
  await t.test('check, which finds it', async () => {
    const { stderr } = await host.fails(1, 'check');
    assert.match(stderr, /restic check: /);
    assert.equal(metric(host.metrics(), 'rez_backup_check_success', { repository: 'primary' }), 0);
    assert.ok(metric(host.metrics(), 'rez_backup_check_last_success_timestamp_seconds') > 0);
  });
});

test('a snapshot whose files are not those of its manifest is refused', { skip: missing('restic') }, async (t) => {
  const host = await saved(t);
  // A snapshot made with restic alone, with the manifest of the one before: one file is another, one is gone.
  const older = new Date('2026-01-01T00:00:00Z');
  fs.writeFileSync(host.at('media/picture-1.jpg'), 'not what the manifest says');
  fs.utimesSync(host.at('media/picture-1.jpg'), older, older);
  fs.rmSync(host.at('media/picture-2.jpg'));
  fs.utimesSync(host.at('media'), older, older);
  const now = picture(host.at('media'));
  const manifest = host.at('state/manifests/media/rez-backup-manifest.json');
  const args = ['--repo', host.at('repository'), 'backup', '--host', 'api-1', '--tag', 'rez-backup,media'];
  execFileSync('restic', [...args, manifest, host.at('media')], {
    env: { ...process.env, RESTIC_PASSWORD: 'the password', RESTIC_CACHE_DIR: host.at('state/cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stderr } = await host.fails(1, 'restore', '--yes');
  assert.match(stderr, /picture-1\.jpg has 26 bytes instead of 2000; .*picture-2\.jpg is missing/);
  assert.deepEqual(picture(host.at('media')), now);
  assert.deepEqual(leftovers(host), []);
});

test('a wrong name, password or address is an error that says so', { skip: missing('restic') }, async (t) => {
  const host = await saved(t);
  const now = picture(host.at('media'));
  const refused = async (pattern, ...args) => {
    const { stderr } = await host.fails(1, ...args);
    assert.match(stderr, pattern);
    assert.doesNotMatch(stderr, /the password\b(?! is wrong)/);
    assert.deepEqual(picture(host.at('media')), now);
  };
  await t.test('a missing snapshot', async () => {
    const arguments_ = ['restore', '--source', 'media', '--snapshot', 'abcd1234', '--yes'];
    await refused(
      /repository primary has no snapshot abcd1234 of media from api-1: `rez-backup list` shows/,
      ...arguments_,
    );
    await refused(/no snapshot of media from other-host/, 'restore', '--host', 'other-host', '--yes');
    await refused(
      /no snapshot of media .*before 2020-01-01T00:00:00/,
      'restore',
      '--at',
      '2020-01-01T00:00:00Z',
      '--yes',
    );
  });
  await t.test('a snapshot that restic alone has made', async () => {
    const args = ['--repo', host.at('repository'), 'backup', '--host', 'api-1', '--tag', 'rez-backup,media'];
    const env = { ...process.env, RESTIC_PASSWORD: 'the password', RESTIC_CACHE_DIR: host.at('state/cache') };
    execFileSync('restic', [...args, host.at('media')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    await refused(/snapshot [0-9a-f]{8} of media has no manifest: it was not made by rez-backup/, 'restore', '--yes');
  });
  await t.test('a wrong password', async () => {
    host.secret('restic_password', 'another');
    await refused(/repository primary .*: restic unlock: the password is wrong/, 'restore', '--yes');
    await refused(/the password is wrong/, 'run');
    assert.equal(metric(host.metrics(), 'rez_backup_last_run_success', { source: 'media' }), 0);
    assert.ok(metric(host.metrics(), 'rez_backup_last_success_timestamp_seconds', { source: 'media' }) > 0);
  });
  await t.test('a missing secret: the other repository is used', async () => {
    host.secret('restic_password', 'the password');
    const other = { ...host.settings.repositories[0], name: 'other', password: 'no_such_secret' };
    host.change({ repositories: [other, ...host.settings.repositories] });
    const { stdout, stderr } = await host.fails(1, 'run');
    assert.match(
      stderr,
      /the secret no_such_secret of repository other is missing: write it to .*secrets\/no_such_secret/,
    );
    assert.match(stdout, /media: snapshot [0-9a-f]{8} in primary/);
    host.change({});
  });
  await t.test('a secret that systemd loads comes first', async () => {
    host.secret('restic_password', 'another');
    fs.mkdirSync(host.at('credentials'));
    fs.writeFileSync(host.at('credentials/restic_password'), 'the password');
    const { ended } = host.starts(['list'], { env: { CREDENTIALS_DIRECTORY: host.at('credentials') } });
    assert.equal((await ended).code, 0);
  });
});

test('a storage that refuses the keys is an error that says so', {
  skip: missing('restic', 'versitygw'),
}, async (t) => {
  const folder = scratch(t, 'rez-storage-');
  const storage = await startStorage(t, 'primary', folder);
  const host = makeHost(t, { storage: [storage], sources: media });
  makeFiles(host.at('media'), 3);
  await host.ok('init');
  await t.test('a wrong secret key', async () => {
    host.secret('primary_secret_key', 'wrong');
    const { stderr } = await host.fails(1, 'run');
    assert.match(
      stderr,
      /repository primary .*: the storage refuses the access key or its secret \(restic: .*Access Denied/,
    );
    assert.equal(metric(host.metrics(), 'rez_backup_last_run_success'), 0);
  });
  await t.test('a wrong access key', async () => {
    host.secret('primary_access_key', 'wrong');
    const { stderr } = await host.fails(1, 'run');
    assert.match(stderr, /no repository is reachable there: check the URL, the bucket and the access key/);
  });
});

test('a full bucket fails the run after its retries, and what was saved stays', {
  skip: noTmpfs || missing('restic', 'versitygw'),
}, async (t) => {
  const folder = scratch(t, 'rez-storage-');
  mount(t, folder, '4m');
  const storage = await startStorage(t, 'primary', folder);
  const host = makeHost(t, { storage: [storage], sources: media });
  makeFiles(host.at('media'), 3);
  await host.ok('init');
  await host.ok('run');
  const before = picture(host.at('media'));
  const noise = execFileSync('head', ['-c', '8000000', '/dev/urandom'], { maxBuffer: 1e7 });
  fs.writeFileSync(host.at('media/large.bin'), noise);
  const { stderr } = await host.fails(1, 'run');
  assert.match(stderr, /restic backup: it retried for 3 s: there is no space left, here or in the bucket/);
  assert.equal(metric(host.metrics(), 'rez_backup_last_run_success'), 0);
  fs.rmSync(host.at('media'), { recursive: true });
  await host.ok('restore', '--yes');
  assert.deepEqual(picture(host.at('media')), before);
});

test('a full disk at backup time fails that source alone, and is told', {
  skip: noTmpfs || missing('restic', 'redis-server', 'redis-cli', 'redis-check-rdb'),
}, async (t) => {
  const host = makeHost(t, { repositories: local, sources: media });
  const redis = await makeRedis(t, host.at('redis'));
  host.secret('redis_password', 'the-redis-password');
  host.change({ sources: [redis.source, ...host.settings.sources] });
  makeFiles(host.at('media'), 3);
  mount(t, host.at('state'), '2m');
  await host.ok('init');
  redis.cli('CONFIG', 'SET', 'rdbcompression', 'no');
  redis.cli('SETRANGE', 'large', '3000000', 'x');
  const { stdout, stderr } = await host.fails(1, 'run');
  assert.match(
    stderr,
    /redis-cli \(source redis, to .*state\/staging\/redis\/dump\.rdb\): .*: no space left in .*state\/staging\/redis/,
  );
  assert.match(stdout, /media: snapshot [0-9a-f]{8} in primary/);
  assert.equal(metric(host.metrics(), 'rez_backup_last_run_success', { source: 'redis' }), 0);
  assert.equal(metric(host.metrics(), 'rez_backup_last_run_success', { source: 'media' }), 1);
  assert.deepEqual(fs.readdirSync(host.at('state/staging')), []);
});

test('a mounted folder is restored in place, and without room nothing is restored', {
  skip: noTmpfs || missing('restic'),
}, async (t) => {
  const host = makeHost(t, { repositories: local, sources: media });
  mount(t, host.at('media'), '2m');
  makeFiles(host.at('media'), 6);
  await host.ok('init');
  await host.ok('run');
  const before = picture(host.at('media'));
  fs.rmSync(host.at('media/picture-1.jpg'));
  fs.writeFileSync(host.at('media/new.jpg'), 'new');
  await host.ok('restore', '--yes');
  assert.deepEqual(picture(host.at('media')), before);
  fs.writeFileSync(host.at('media/large'), Buffer.alloc(2 * 1024 * 1024 - 32 * 1024));
  const now = picture(host.at('media'));
  const { stderr } = await host.fails(1, 'restore', '--yes');
  assert.match(stderr, /the restore needs 11\.7 KiB in .*media, which has .* left: nothing was restored/);
  assert.deepEqual(picture(host.at('media')), now);
});

test('a second one at the same time ends with 75 and names the first', {
  skip: missing('restic', 'redis-cli'),
}, async (t) => {
  // Redis that accepts and never answers: the first run waits as long as the test wants.
  const sockets = [];
  const silent = net.createServer((socket) => sockets.push(socket));
  await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const close = () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  };
  later(t, close);
  const redis = (at) => ({ name: 'redis', kind: 'redis', port: silent.address().port, dumpFile: at('dump.rdb') });
  const host = makeHost(t, { repositories: local, sources: (at) => [...media(at), redis(at)] });
  makeFiles(host.at('media'), 3);
  await host.ok('init');
  const first = host.starts(['run']);
  await until('the first run talks to Redis', () => sockets.length > 0);
  for (const command of [['drill'], ['run'], ['restore', '--yes']]) {
    const { stderr } = await host.fails(75, ...command);
    const other = `another rez-backup runs with the state folder .* \\(run, process ${first.child.pid}, since [^)]+Z\\)`;
    assert.match(stderr, new RegExp(other));
  }
  await host.ok('list');
  close();
  assert.equal((await first.ended).code, 1);
  await host.ok('drill', '--source', 'media');
});

test('after SIGKILL in the middle of a backup the next run succeeds, and prunes', {
  skip: process.platform === 'win32' || missing('restic', 'versitygw'),
}, async (t) => {
  const folder = scratch(t, 'rez-storage-');
  const storage = await startStorage(t, 'primary', folder);
  const host = makeHost(t, { storage: [storage], sources: media });
  makeFiles(host.at('media'), 3);
  await host.ok('init');
  await host.ok('run');
  // The S3 server removes empty folders.
  const locks = () => {
    const all = path.join(folder, 'backups/api-1/locks');
    return fs.existsSync(all) ? fs.readdirSync(all) : [];
  };
  const data = path.join(folder, 'backups/api-1/data');
  /** Kills a run that has stored a part of new files. False if it was quicker: restic has removed its lock. */
  const killInside = async () => {
    for (let index = 0; index < 12; index += 1) {
      fs.writeFileSync(
        host.at(`media/large-${index}`),
        execFileSync('head', ['-c', '8000000', '/dev/urandom'], { maxBuffer: 1e7 }),
      );
    }
    const packs = filesOf(data).length;
    const killed = host.starts(['run'], { group: true });
    const hasEnded = () => killed.child.exitCode !== null;
    await until('restic has stored a part', () => hasEnded() || (filesOf(data).length > packs && locks().length > 0));
    if (hasEnded()) return false;
    process.kill(-killed.child.pid, 'SIGKILL');
    return (await killed.ended).code === null && locks().length > 0;
  };
  await until('a run is killed, and the lock of restic is still there', killInside, 600);
  await host.ok('run');
  assert.deepEqual(locks(), []);
  const before = picture(host.at('media'));
  fs.rmSync(host.at('media'), { recursive: true });
  await host.ok('restore', '--yes');
  assert.deepEqual(picture(host.at('media')), before);
});

test('a restore that fails at its last source puts back what was there before', {
  skip: missing('restic', 'redis-server', 'redis-cli', 'redis-check-rdb'),
}, async (t) => {
  const host = makeHost(t, { repositories: local, sources: media });
  const redis = await makeRedis(t, host.at('redis'));
  host.secret('redis_password', 'the-redis-password');
  const sources = [...host.settings.sources, redis.source];
  host.change({ sources });
  makeFiles(host.at('media'), 3);
  redis.cli('SET', 'key', 'saved');
  await host.ok('init');
  await host.ok('run');
  fs.writeFileSync(host.at('media/new.jpg'), 'new');
  redis.cli('SET', 'key', 'newer');
  redis.cli('SAVE');
  const now = picture(host.at('media'));
  // The command that starts Redis fails.
  host.change({ sources: [sources[0], { ...redis.source, start: ['redis-server', '--no-such-option', 'yes'] }] });
  const { stderr } = await host.fails(1, 'restore', '--yes');
  assert.match(
    stderr,
    /redis-server \(source redis, start\): exit code 1: .*: the files that were there before are back/,
  );
  assert.deepEqual(picture(host.at('media')), now);
  assert.deepEqual(leftovers(host), []);
  await redis.up();
  assert.match(redis.cli('GET', 'key'), /^newer/);
});

test('a source that cannot be saved as it is named is refused', { skip: missing('restic') }, async (t) => {
  const host = makeHost(t, { repositories: local, sources: media });
  makeFiles(host.at('elsewhere'), 1);
  await host.ok('init');
  assert.match((await host.fails(1, 'run')).stderr, /source media: .*\/media does not exist/);
  fs.symlinkSync(host.at('elsewhere'), host.at('media'));
  assert.match(
    (await host.fails(1, 'run')).stderr,
    /media is a symbolic link, and only the link would be saved: name .*elsewhere/,
  );
});
