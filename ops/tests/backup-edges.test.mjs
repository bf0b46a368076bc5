import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { drill } from '../backup/lib/drill.mjs';
import { Repository } from '../backup/lib/restic.mjs';
import { backUp } from '../backup/lib/run.mjs';
import { check } from '../backup/lib/settings.mjs';
import {
  filesOf,
  leftovers,
  local,
  makeFiles,
  makeHost,
  media,
  metric,
  mount,
  noTmpfs,
  PROGRAM,
  picture,
  saved,
  scratch,
} from './backup.mjs';
import { missing } from './programs.mjs';

const noise = (bytes) => execFileSync('head', ['-c', String(bytes), '/dev/urandom'], { maxBuffer: 2 * bytes });

test('a restore from damaged data names the other repository', { skip: missing('restic') }, async (t) => {
  const repositories = (at) => ['primary', 'geo'].map((name) => ({ name, url: at(name), password: 'restic_password' }));
  const host = makeHost(t, { repositories, sources: media });
  makeFiles(host.at('media'), 1);
  fs.writeFileSync(host.at('media/large'), noise(1_000_000));
  const before = picture(host.at('media'));
  await host.ok('init');
  await host.ok('run');
  // In the middle is the large file; the manifest, in the same pack, stays readable.
  const [pack] = filesOf(host.at('primary/data'));
  const bytes = fs.readFileSync(pack);
  bytes[Math.floor(bytes.length / 2)] ^= 0xff;
  fs.chmodSync(pack, 0o600);
  fs.writeFileSync(pack, bytes);
  const { stderr } = await host.fails(1, 'restore', '--yes');
  assert.match(stderr, /repository primary .*; try --repository geo$/m);
  assert.deepEqual(picture(host.at('media')), before);
  fs.rmSync(host.at('media'), { recursive: true });
  await host.ok('restore', '--yes', '--repository', 'geo');
  assert.deepEqual(picture(host.at('media')), before);
});

test('a folder with a file system mounted inside is not replaced', {
  skip: noTmpfs || missing('restic'),
}, async (t) => {
  const host = await saved(t);
  mount(t, host.at('media/inner/with space'), '1m');
  fs.writeFileSync(host.at('media/inner/with space/file'), 'live');
  const now = picture(host.at('media'));
  const { stderr } = await host.fails(1, 'restore', '--yes');
  assert.match(stderr, /media\/inner\/with space is a file system of its own inside .*media, .*nothing was changed/);
  assert.deepEqual(picture(host.at('media')), now);
  assert.deepEqual(leftovers(host), []);
});

test('without room for all sources on one disk together nothing is restored, and a drill says what it lacks', {
  skip: noTmpfs || missing('restic'),
}, async (t) => {
  const sources = (at) =>
    ['media', 'documents'].map((name) => ({ name, kind: 'files', paths: [at('disk', name[0], name)] }));
  const host = makeHost(t, { repositories: local, sources });
  mount(t, host.at('disk'), '2m');
  for (const name of ['media', 'documents']) {
    fs.mkdirSync(host.at('disk', name[0], name), { recursive: true });
    fs.writeFileSync(host.at('disk', name[0], name, 'large'), noise(600 * 1024));
  }
  await host.ok('init');
  await host.ok('run');
  const now = picture(host.at('disk'));
  const { stderr } = await host.fails(1, 'restore', '--yes');
  assert.match(stderr, /the restore needs 1\.2 MiB in .*disk\/m, which has .* KiB left: nothing was restored/);
  assert.deepEqual(picture(host.at('disk')), now);
  mount(t, host.at('small'), '256k');
  host.change({ drill: { folder: host.at('small') } });
  const { stdout } = await host.fails(1, 'drill');
  assert.match(stdout, /the drill of media needs 600 KiB in .*small\/rez-backup-drill, which has .* KiB left/);
});

test('a folder that has lost all its files fails the run until somebody confirms it', {
  skip: missing('restic'),
}, async (t) => {
  const host = await saved(t);
  fs.renameSync(host.at('media'), host.at('unmounted'));
  fs.mkdirSync(host.at('media'));
  const { stderr } = await host.fails(1, 'run');
  assert.match(stderr, /media has no file, and had some at the last backup: is its disk mounted\?/);
  assert.equal(metric(host.metrics(), 'rez_backup_last_run_success', { source: 'media' }), 0);
  await host.fails(1, 'run');
  fs.rmSync(/remove (\S+)$/m.exec(stderr)[1]);
  await host.ok('run');
});

test('init tells that nothing was saved, so that a host without a run is too old', {
  skip: missing('restic'),
}, async (t) => {
  const host = makeHost(t, { repositories: local, sources: media });
  await host.ok('init');
  assert.equal(metric(host.metrics(), 'rez_backup_last_success_timestamp_seconds', { source: 'media' }), 0);
});

test('the drill takes the time between two snapshots as what can be lost, if it is longer', {
  skip: missing('restic'),
}, async (t) => {
  const host = makeHost(t, { repositories: local, sources: media });
  makeFiles(host.at('media'), 1);
  await host.ok('init');
  const settings = check(host.settings, 'backup.json');
  const context = (time) => ({
    settings,
    sources: settings.sources,
    repositories: settings.repositories.map((it) => new Repository(settings, it)),
    now: () => new Date(time),
    log: () => {},
  });
  const days = (count) => Date.parse('2026-12-01T02:00:00Z') + count * 86_400_000;
  assert.deepEqual(await backUp(context(days(0))), []);
  assert.deepEqual(await backUp(context(days(3))), []);
  const { missed } = await drill(context(days(4)));
  assert.equal(metric(host.metrics(), 'rez_backup_drill_rpo_seconds', { objective: 'file-storage' }), 3 * 86_400);
  assert.ok(missed.some(({ service }) => service === 'file-storage'));
});

test('what the operator has set for restic does not mix with the settings', { skip: missing('restic') }, async (t) => {
  const host = await saved(t);
  const env = { RESTIC_REPOSITORY_FILE: '/no/such/file', RESTIC_PASSWORD_COMMAND: 'false', AWS_PROFILE: 'other' };
  const { code, stderr } = await host.starts(['list'], { env }).ended;
  assert.equal(code, 0, stderr);
});

test('the program runs through a link in PATH', {
  skip: process.platform === 'win32' && 'Windows has no mode',
}, (t) => {
  const link = path.join(scratch(t, 'rez-link-'), 'rez-backup');
  fs.symlinkSync(PROGRAM, link);
  assert.match(execFileSync(link, ['--help'], { encoding: 'utf8' }), /^rez-backup COMMAND/);
});

test('a storage that cannot be made stops no other one, and a host without a run has metrics from then on', {
  skip: missing('restic'),
}, async (t) => {
  const repositories = (at) => [
    { name: 'primary', url: at('primary'), password: 'no_such_secret' },
    { name: 'geo', url: at('geo'), password: 'restic_password' },
  ];
  const host = makeHost(t, { repositories, sources: media });
  const { stdout, stderr } = await host.fails(1, 'init');
  assert.match(stdout, /geo: made at /);
  assert.match(stderr, /no_such_secret/);
  assert.equal(metric(host.metrics(), 'rez_backup_last_success_timestamp_seconds', { source: 'media' }), 0);
});
