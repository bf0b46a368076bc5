import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { Repository } from '../backup/lib/restic.mjs';
import { check } from '../backup/lib/settings.mjs';
import { leftovers, local, makeFiles, makeHost, makeRedis, media, picture, saved } from './backup.mjs';
import { missing, until } from './programs.mjs';

const noSigkill = process.platform === 'win32' && 'Windows has no SIGKILL';
const noProc = process.platform !== 'linux' && 'only Linux has /proc';

/** The environment of a rez-backup that kills itself where this code says. */
function killedWhere(code) {
  const all = `import fs from 'node:fs';\nconst die = () => process.kill(process.pid, 'SIGKILL');\n${code}`;
  return { env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(all)}` } };
}

const BETWEEN_RENAMES = `const rename = fs.renameSync;
fs.renameSync = (from, to) => { if (from.includes('.rez-restore-')) die(); rename(from, to); };`;
const BEFORE_REPLACING = `const rename = fs.renameSync;
fs.renameSync = (from, to) => { if (to.includes('.rez-old-')) die(); rename(from, to); };`;
const WHILE_REMOVING = `const remove = fs.rmSync;
fs.rmSync = (file, options) => {
  const isOurs = /[.]rez-(old|restore)-/.test(file) && fs.existsSync(file);
  if (!isOurs) return remove(file, options);
  const inside = fs.readdirSync(file, { recursive: true }).filter((name) => name.endsWith('.jpg'));
  for (const name of inside.slice(0, inside.length / 2)) remove(file + '/' + name);
  die();
};`;

test('a restore that was killed is followed by one that succeeds, and leaves nothing', {
  skip: noSigkill || missing('restic'),
}, async (t) => {
  const host = await saved(t);
  const before = picture(host.at('media'));
  const kill = async (code) => {
    fs.writeFileSync(host.at('media/new.jpg'), 'new');
    const killed = host.starts(['restore', '--yes'], killedWhere(code));
    const { stdout, stderr } = await killed.ended;
    assert.equal(killed.child.signalCode, 'SIGKILL', stdout + stderr);
    assert.notDeepEqual(leftovers(host), []);
  };
  await t.test('killed when all is staged', async () => {
    await kill(BEFORE_REPLACING);
    assert.equal(fs.readFileSync(host.at('media/new.jpg'), 'utf8'), 'new');
    await host.ok('restore', '--yes');
    assert.deepEqual(picture(host.at('media')), before);
    assert.deepEqual(leftovers(host), []);
  });
  await t.test('killed when half of the former data is removed', async () => {
    await kill(WHILE_REMOVING);
    assert.deepEqual(picture(host.at('media')), before);
    await host.ok('restore', '--yes');
    assert.deepEqual(picture(host.at('media')), before);
    assert.deepEqual(leftovers(host), []);
  });
  await t.test('killed between the two renames: the next one names the former data and changes nothing', async () => {
    await kill(BETWEEN_RENAMES);
    const [old] = leftovers(host).filter((name) => name.startsWith('media.rez-old-'));
    const { stderr } = await host.fails(1, 'restore', '--yes');
    assert.match(stderr, new RegExp(`${old} is there: an earlier restore did not end`));
    assert.equal(fs.readFileSync(host.at(old, 'new.jpg'), 'utf8'), 'new');
    fs.renameSync(host.at(old), host.at('media'));
    await host.ok('restore', '--yes');
    assert.deepEqual(picture(host.at('media')), before);
    assert.deepEqual(leftovers(host), []);
  });
});

/** A host whose Redis had one value when it was saved, and has a newer one in memory and in its file. */
async function redisHost(t) {
  const host = makeHost(t, { repositories: local, sources: media });
  const redis = await makeRedis(t, host.at('redis'));
  host.secret('redis_password', 'the-redis-password');
  host.change({ sources: [redis.source] });
  redis.cli('SET', 'key', 'saved');
  await host.ok('init');
  await host.ok('run');
  redis.cli('SET', 'key', 'newer');
  redis.cli('SAVE');
  const marker = host.at('once');
  /** The command, and at its first time more. */
  const first = (command, more) => [
    process.execPath,
    '-e',
    `const { execFileSync } = require('node:child_process');
     const fs = require('node:fs');
     const isFirst = !fs.existsSync(${JSON.stringify(marker)});
     const run = () => execFileSync(${JSON.stringify(command[0])}, ${JSON.stringify(command.slice(1))});
     ${more}`,
  ];
  const mark = `if (isFirst) fs.writeFileSync(${JSON.stringify(marker)}, '');`;
  return { host, redis, first, mark, marker };
}

const REDIS = ['restic', 'redis-server', 'redis-cli', 'redis-check-rdb'];

test('Ctrl-C while Redis starts with the restored file puts the former file back, and Redis has it', {
  skip: noSigkill || missing(...REDIS),
}, async (t) => {
  const { host, redis, first, mark, marker } = await redisHost(t);
  const { start } = redis.source;
  const waiting = first(start, `run(); ${mark} if (isFirst) setInterval(() => {}, 1000);`);
  host.change({ sources: [{ ...redis.source, start: waiting }] });
  const restore = host.starts(['restore', '--yes']);
  await until(
    'Redis has the restored file',
    () => fs.existsSync(marker) && redis.cli('GET', 'key').startsWith('saved'),
  );
  restore.child.kill('SIGINT');
  const { code, stderr } = await restore.ended;
  assert.equal(code, 1);
  assert.match(stderr, /start\): ended by SIGINT: .*the files that were there before are back$/m);
  await until('Redis answers', () => redis.cli('PING').startsWith('PONG'));
  assert.match(redis.cli('GET', 'key'), /^newer/);
});

test('a restore that fails and cannot stop Redis again says so, and where the former file is', {
  skip: missing(...REDIS),
}, async (t) => {
  const { host, redis, first, mark } = await redisHost(t);
  const { start, stop } = redis.source;
  const once = first(stop, `if (isFirst) run(); ${mark}`);
  const failing = first(start, 'run(); process.exit(1);');
  host.change({ sources: [{ ...redis.source, stop: once, start: failing }] });
  const { stderr } = await host.fails(1, 'restore', '--yes');
  assert.match(
    stderr,
    /except: redis is not back \(.*Redis still runs: .*what it had before is in .*dump\.rdb\.rez-old-/,
  );
});

/** What there is in `/proc`; nothing if the process has ended, or closed the file, meanwhile. */
function there(look) {
  try {
    return look();
  } catch {
    return [];
  }
}

/** The processes that a process has started, and theirs. Not all of the machine: restic is done before those are looked through. */
function startedBy(pid) {
  const tasks = there(() => fs.readdirSync(`/proc/${pid}/task`));
  const children = tasks.flatMap((task) =>
    there(() => fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean)),
  );
  return children.flatMap((child) => [child, ...startedBy(child)]);
}

/** Whether a process that this one has started has one of the files open. */
function reads(...files) {
  const open = (pid) =>
    there(() => fs.readdirSync(`/proc/${pid}/fd`)).flatMap((it) =>
      there(() => [fs.readlinkSync(`/proc/${pid}/fd/${it}`)]),
    );
  return startedBy(process.pid)
    .flatMap(open)
    .some((file) => files.includes(file));
}

test('a file that is deleted while restic reads the folder is counted, one that cannot be read is an error', {
  skip: noProc || missing('restic'),
}, async (t) => {
  const host = makeHost(t, { repositories: local, sources: media });
  makeFiles(host.at('media'), 1);
  const settings = check(host.settings, 'backup.json');
  const repository = new Repository(settings, settings.repositories[0]);
  await repository.init();
  const save = (paths, time) => repository.backup({ host: 'api-1', source: 'media', paths, time: new Date(time) });
  const find = () => repository.snapshots().then((all) => all.filter((it) => it.source === 'media'));

  await t.test('deleted', async () => {
    // restic has read the names and reads two files at a time: it is not at the last one while it reads the first.
    for (const name of ['a-1', 'a-2', 'a-3', 'a-4']) {
      fs.writeFileSync(host.at('media', name), '');
      fs.truncateSync(host.at('media', name), 256 * 1024 * 1024);
    }
    fs.writeFileSync(host.at('media/z'), 'deleted');
    const saving = save([host.at('media')], '2026-12-01T02:00:00Z');
    await until('restic reads', () => reads(host.at('media/a-1'), host.at('media/a-2')));
    fs.rmSync(host.at('media/z'));
    assert.equal((await saving).deleted, 1);
    assert.equal((await find()).length, 1);
  });

  await t.test('not readable: the snapshot of that day stays, and is the one that is found', async () => {
    // The memory of a process at address 0: every user gets EIO.
    await assert.rejects(
      save([host.at('media'), '/proc/self/mem'], '2026-12-01T03:00:00Z'),
      /the snapshot of media lacks files that could not be read: .*mem/,
    );
    await repository.forget({ host: 'api-1', retention: settings.retention, prune: false });
    const all = await find();
    assert.deepEqual(
      all.map(({ time }) => time.toISOString()),
      ['2026-12-01T02:00:00.000Z'],
    );
    const fresh = new Repository(settings, settings.repositories[0]);
    assert.equal((await fresh.find({ host: 'api-1', source: 'media' })).id, all[0].id);
  });
});

test('what the settings exclude is left out, and the rest is drilled and restored', {
  skip: missing('restic'),
}, async (t) => {
  const excluding = (at) => [{ ...media(at)[0], exclude: ['*.tmp', '*.json', 'cache', 'media'] }];
  const host = makeHost(t, { repositories: local, sources: excluding });
  makeFiles(host.at('media'), 3);
  const before = picture(host.at('media'));
  fs.mkdirSync(host.at('media/inner/cache/deep'), { recursive: true });
  for (const name of ['a.tmp', 'b.json', 'media', 'inner/c.tmp', 'inner/cache/deep/x.jpg']) {
    fs.writeFileSync(host.at('media', name), name);
  }
  await host.ok('init');
  await host.ok('run');
  assert.match((await host.ok('drill')).stdout, /3 files, 5\.9 KiB, SHA-256 as in the manifest/);
  fs.rmSync(host.at('media'), { recursive: true });
  await host.ok('restore', '--yes');
  const names = Object.keys(before).filter((name) => name !== 'inner');
  const after = picture(host.at('media'));
  assert.deepEqual(Object.keys(after), Object.keys(before));
  for (const name of names) assert.equal(after[name], before[name]);
});

test('the drill works in a folder of its own, and leaves what is beside it', { skip: missing('restic') }, async (t) => {
  const host = await saved(t);
  fs.mkdirSync(host.at('shared/inner'), { recursive: true });
  fs.writeFileSync(host.at('shared/inner/live.txt'), 'live');
  host.change({ drill: { folder: host.at('shared') } });
  await host.ok('drill');
  assert.equal(fs.readFileSync(host.at('shared/inner/live.txt'), 'utf8'), 'live');
  assert.deepEqual(fs.readdirSync(host.at('shared')), ['inner']);
});

test('a stop command that stops Redis and fails leaves it running with what it had', {
  skip: missing(...REDIS),
}, async (t) => {
  const { host, redis, first } = await redisHost(t);
  const failing = first(redis.source.stop, 'run(); process.exit(1);');
  host.change({ sources: [{ ...redis.source, stop: failing }] });
  const { stderr } = await host.fails(1, 'restore', '--yes');
  assert.match(stderr, /source redis, stop\): exit code 1: .*the files that were there before are back$/m);
  await until('Redis answers', () => redis.cli('PING').startsWith('PONG'));
  assert.match(redis.cli('GET', 'key'), /^newer/);
});
