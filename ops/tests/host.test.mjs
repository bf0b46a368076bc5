import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { missing, OPS, output } from './programs.mjs';
import { SYSTEM, SYSTEMD, services, timers, unitFiles, values } from './units.mjs';

const README = fs.readFileSync(path.join(SYSTEMD, 'README.md'), 'utf8');
const analyze = missing('systemd-analyze') && 'no systemd-analyze in PATH: install the package systemd';

/** Where a host has the folder `ops`. */
const INSTALLED = '/opt/rez/ops/';

test('systemd finds nothing to criticise in the units, the drop-ins and the target', { skip: analyze }, () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-units-'));
  try {
    const folder = path.join(root, 'system');
    fs.cpSync(SYSTEM, folder, { recursive: true });
    // verify asks that the programs exist; these are those of any machine.
    for (const name of services()) {
      const file = path.join(folder, name);
      fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(/^(ExecStart=)\S+/gm, '$1/bin/true'));
    }
    const units = [...services(), ...timers(), 'rez-monitoring.target'].map((name) => path.join(folder, name));
    const checked = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', ...units], {
      encoding: 'utf8',
    });
    assert.equal(checked.stdout + checked.stderr, '');
    assert.equal(checked.status, 0);
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
});

test('no service is more exposed than its limit', { skip: analyze }, () => {
  /** Tenths, of 100. What restores files with their owners; what reads every file; what measures the host; the servers. */
  const LIMITS = { 'backup-drill': 27, backup: 25, 'collector|node-exporter': 18, '': 15 };
  const limits = (name) => Object.entries(LIMITS).find(([part]) => new RegExp(part).test(name))[1];
  for (const name of services()) {
    output('systemd-analyze', 'security', '--offline=true', `--threshold=${limits(name)}`, path.join(SYSTEM, name));
  }
});

test('the timers elapse when the page says, in UTC', { skip: analyze }, () => {
  const NEXT = {
    'rez-backup.timer': ['2026-12-01 02:00:00', '2026-12-02 02:00:00'],
    'rez-backup-check.timer': ['2026-12-02 04:30:00', '2026-12-09 04:30:00'],
    // The first Sundays, after the maintenance window; one of them is the 7th.
    'rez-backup-drill.timer': ['2026-12-06 04:30:00', '2027-01-03 04:30:00', '2027-02-07 04:30:00'],
  };
  assert.deepEqual(timers(), Object.keys(NEXT).sort());
  for (const [name, expected] of Object.entries(NEXT)) {
    const [when] = values(name, 'OnCalendar');
    const printed = output(
      'systemd-analyze',
      ...['calendar', '--base-time=2026-12-01 00:00:00 UTC', `--iterations=${expected.length}`, when],
    );
    const times = [...printed.matchAll(/(?:Next elapse|Iter\. #\d+|\(in UTC\)): \w+ (\S+ \S+) UTC/g)].map(
      ([, at]) => at,
    );
    assert.deepEqual([...new Set(times)], expected, name);
    assert.ok(README.includes(`\`${when}\``), `${name}: ${when} is not in README.md`);
    assert.deepEqual(values(name, 'Persistent'), ['yes'], name);
    assert.ok(services().includes(name.replace('.timer', '.service')), name);
  }
});

test('the target starts every service and timer, but what a timer starts', () => {
  const wanted = values('rez-monitoring.target', 'Wants').flatMap((line) => line.split(' '));
  const byTimer = timers().map((name) => name.replace('.timer', '.service'));
  assert.deepEqual(wanted.sort(), [...services().filter((name) => !byTimer.includes(name)), ...timers()].sort());
});

test('every unit says what it is; a server is restarted without end, a job never', () => {
  for (const name of [...services(), ...timers(), 'rez-monitoring.target']) {
    assert.equal(values(name, 'Description').length, 1, name);
    assert.equal(values(name, 'Documentation').length, 1, name);
  }
  for (const name of services()) {
    const isJob = values(name, 'Type')[0] === 'oneshot';
    assert.deepEqual(values(name, 'Restart'), isJob ? [] : ['always'], name);
    if (isJob) assert.deepEqual(values(name, 'SuccessExitStatus'), ['75'], name);
    else assert.deepEqual(values(name, 'StartLimitIntervalSec'), ['0'], name);
  }
  assert.deepEqual(values('nginx.service.d/restart.conf', 'Restart'), ['always']);
  assert.deepEqual(values('nginx.service.d/restart.conf', 'StartLimitIntervalSec'), ['0']);
});

const absent = ['backup', 'collector'].filter((name) => !fs.existsSync(path.join(OPS, name)));

test('every file of ops that a unit or a container names is in the repository', {
  skip: absent.length > 0 && `no ops/${absent.join(', ops/')}`,
}, () => {
  const files = [
    ...unitFiles().map((name) => path.join(SYSTEM, name)),
    ...['api.yml', 'monitoring.yml'].map((name) => path.join(OPS, 'compose', name)),
  ];
  const named = files.flatMap((file) =>
    [...fs.readFileSync(file, 'utf8').matchAll(/\/opt\/rez\/ops\/([\w./-]+\w)/g)].map(([, name]) => [name, file]),
  );
  assert.ok(named.length > 8);
  for (const [name, file] of named) assert.ok(fs.existsSync(path.join(OPS, name)), `${file}: no ops/${name}`);
});

test('every credential has a default, is a file of its own name, and is on the page', () => {
  const all = services().flatMap((name) => values(name, 'LoadCredential').map((value) => [name, ...value.split(':')]));
  assert.ok(all.length >= 8);
  for (const [unit, id, file] of all) {
    assert.equal(path.basename(file), id, unit);
    const fallback = values(unit, 'SetCredential').find((value) => value.startsWith(`${id}:`));
    assert.ok(fallback, `${unit}: ${id} has no SetCredential=, so the service would not start without ${file}`);
    assert.ok(README.includes(`\`${file}\``), `${unit}: ${file} is not in README.md`);
  }
});

test('systemd makes the folders that the units name', {
  skip: missing('systemd-tmpfiles') || (process.getuid?.() !== 0 && 'systemd-tmpfiles needs root'),
}, () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-tmpfiles-'));
  try {
    const passwd = 'root:x:0:0::/:/bin/sh\n';
    fs.mkdirSync(path.join(root, 'etc'));
    fs.writeFileSync(path.join(root, 'etc/passwd'), passwd);
    fs.writeFileSync(path.join(root, 'etc/group'), 'root:x:0:\nadm:x:4:\n');
    const config = path.join(SYSTEMD, 'tmpfiles.d/rez-monitoring.conf');
    output('systemd-tmpfiles', '--create', `--root=${root}`, config);
    const folders = fs
      .readFileSync(config, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('d '))
      .map((line) => line.split(' ')[1]);
    for (const folder of folders) assert.ok(fs.statSync(path.join(root, folder)).isDirectory(), folder);
    const files = services().flatMap((name) => values(name, 'LoadCredential').map((value) => value.split(':')[1]));
    for (const file of files) assert.ok(folders.includes(path.dirname(file)), file);
    for (const name of services()) {
      for (const folder of values(name, 'ReadWritePaths')) assert.ok(folders.includes(folder), `${name}: ${folder}`);
    }
  } finally {
    fs.rmSync(root, { recursive: true, force: true });
  }
});

/** Ports by the job of Prometheus that scrapes them. */
function ports() {
  const { scrape_configs } = parse(fs.readFileSync(path.join(OPS, 'prometheus/prometheus.yml'), 'utf8'), {
    merge: true,
  });
  const lists = scrape_configs.flatMap(({ static_configs, file_sd_configs }) => [
    ...(static_configs ?? []),
    ...(file_sd_configs ?? []).flatMap(({ files }) =>
      files.flatMap((file) => parse(fs.readFileSync(path.join(OPS, 'prometheus', file), 'utf8'))),
    ),
  ]);
  return new Set(lists.flatMap(({ targets }) => targets).map((target) => target.replace('localhost:', '')));
}

test('every program listens on loopback, at the port where Prometheus looks for it', () => {
  const known = ports();
  const commands = [
    ...services().map((name) => [name, values(name, 'ExecStart').join(' ')]),
    ...Object.entries(
      parse(fs.readFileSync(path.join(OPS, 'compose/monitoring.yml'), 'utf8'), { merge: true }).services,
    ).map(([name, { command }]) => [name, command.join(' ')]),
  ];
  let found = 0;
  for (const [name, command] of commands) {
    const port = command.match(/-web\.listen-address=127\.0\.0\.1:(\d+)/)?.[1];
    if (/backup|collector/.test(name)) continue;
    assert.ok(port && known.has(port), `${name}: ${port ?? command}`);
    found += 1;
  }
  assert.equal(found, 12);
});

for (const name of ['api.yml', 'monitoring.yml']) {
  test(`Compose reads compose/${name}`, { skip: missing('compose-go') }, () => {
    const project = JSON.parse(output('compose-go', '-format', 'json', path.join(OPS, 'compose', name)));
    for (const [service, it] of Object.entries(project.services)) {
      assert.equal(it.restart, 'unless-stopped', service);
      assert.equal(it.read_only, true, service);
      assert.deepEqual(it.cap_drop, ['ALL'], service);
      assert.deepEqual(it.security_opt, ['no-new-privileges:true'], service);
      assert.ok(it.mem_limit && it.pids_limit > 0, service);
    }
  });
}

test('Compose refuses a misspelled field', { skip: missing('compose-go') }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-compose-'));
  const file = path.join(folder, 'api.yml');
  const good = fs.readFileSync(path.join(OPS, 'compose/api.yml'), 'utf8');
  fs.writeFileSync(file, good.replace('cap_drop:', 'cap_dorp:'));
  const { stdout, stderr } = spawnSync('compose-go', [file], { encoding: 'utf8' });
  fs.rmSync(folder, { recursive: true });
  assert.match(stdout + stderr, /cap_dorp/);
});

test('the container of the API has its port, its health check and its log where the rest expects them', () => {
  const { api } = parse(fs.readFileSync(path.join(OPS, 'compose/api.yml'), 'utf8')).services;
  assert.equal(api.container_name, 'rezapp-api');
  assert.deepEqual(api.ports, ['127.0.0.1:5001:5001']);
  assert.ok(ports().has('5001'));
  assert.equal(new URL(api.environment.REZ_HEALTH_URL).pathname, '/api/health');
  assert.ok(api.volumes.includes('/var/log/rezapp:/var/log/rezapp'));
  const mounted = api.volumes.map((volume) => volume.split(':')).find(([from]) => from.startsWith(INSTALLED));
  assert.deepEqual(api.healthcheck.test, ['CMD', 'node', mounted[1], '--kill']);
});

test('the pages of alerts name our units, not those of Debian', () => {
  const folder = path.join(OPS, 'runbooks');
  const own = new Set([...services(), ...timers()].map((name) => name.replace(/\.service$/, '')));
  for (const page of fs.readdirSync(folder)) {
    const text = fs.readFileSync(path.join(folder, page), 'utf8');
    for (const [, unit] of text.matchAll(
      /(?:journalctl -u|systemctl (?:start|stop|restart|reload|status|enable --now)) ([\w.-]+)/g,
    )) {
      assert.doesNotMatch(unit, /^(prometheus|alertmanager|node_exporter|prometheus-.*)$/, page);
      if (unit.startsWith('rez-')) assert.ok(own.has(unit), `${page}: ${unit}`);
    }
  }
});
