import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { stringify } from 'yaml';
import { config } from './alertmanager.mjs';
import { later, missing, OPS, until } from './programs.mjs';
import { boot, systemdMissing } from './systemd.mjs';
import { SYSTEM, SYSTEMD, timers, unitFiles } from './units.mjs';

/** Where the units look for each program. */
const PROGRAMS = {
  prometheus: 'usr/bin/prometheus',
  alertmanager: 'usr/local/bin/alertmanager',
  node_exporter: 'usr/local/bin/node_exporter',
  'prometheus-blackbox-exporter': 'usr/bin/prometheus-blackbox-exporter',
  'prometheus-redis-exporter': 'usr/bin/prometheus-redis-exporter',
  'prometheus-nginx-exporter': 'usr/bin/prometheus-nginx-exporter',
};

/** The services, and an address of each that answers when it works. The nginx exporter waits for an nginx first. */
const SERVICES = {
  'rez-prometheus': 'http://127.0.0.1:9090/-/ready',
  'rez-alertmanager': 'http://127.0.0.1:9093/-/ready',
  'rez-node-exporter': 'http://127.0.0.1:9100/metrics',
  'rez-blackbox-exporter': 'http://127.0.0.1:9115/metrics',
  'rez-redis-exporter': 'http://127.0.0.1:9121/metrics',
  'rez-nginx-exporter': 'http://127.0.0.1:9113/metrics',
};

/** What takes the place of nginx and of Slack: a server that keeps the last body, and answers `stub_status`. */
const SERVER = `let last = ''; require('http').createServer((request, response) => {
  if (request.url === '/stub_status') return response.end('Active connections: 1 \\nserver accepts handled requests\\n 1 1 1 \\nReading: 0 Writing: 1 Waiting: 0 \\n');
  if (request.method === 'GET') return response.end(last);
  let body = ''; request.on('data', (chunk) => { body += chunk; }); request.on('end', () => { last = body; response.end('ok'); });
}).listen(8080, '127.0.0.1');`;

const where = (name) =>
  process.env.PATH.split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => fs.existsSync(file));

function world(folder) {
  const files = Object.fromEntries(
    unitFiles().map((name) => [`etc/systemd/system/${name}`, fs.readFileSync(path.join(SYSTEM, name), 'utf8')]),
  );
  for (const name of ['tmpfiles.d', 'sysusers.d']) {
    const file = `${name}/rez-monitoring.conf`;
    files[`etc/${file}`] = fs.readFileSync(path.join(SYSTEMD, file), 'utf8');
  }
  files['etc/systemd/system/nginx.service'] = '[Service]\nExecStart=/usr/bin/node /opt/server.cjs\n';
  // On a host multi-user.target wants it.
  files['etc/systemd/system/rez-monitoring.target.d/nginx.conf'] = '[Unit]\nWants=nginx.service\n';
  files['opt/server.cjs'] = SERVER;
  // A job that ends as a file says: 1, it has failed, or 75, another one is at work.
  files['etc/systemd/system/rez-backup-check.service.d/test.conf'] =
    '[Service]\nExecStart=\nExecStart=/bin/sh -c "exit $(cat /etc/rez-backup/exit-code)"\n';
  files['etc/systemd/system/plain.service'] = '[Service]\nLoadCredential=gone:/etc/gone\nExecStart=/bin/true\n';
  // None of them begins while the test looks.
  for (const name of timers()) {
    files[`etc/systemd/system/${name}.d/test.conf`] = '[Timer]\nOnCalendar=\nOnCalendar=2099-01-01\n';
  }
  files['etc/rez-backup/backup.json'] = JSON.stringify({
    repositories: [{ name: 'local', url: '/var/lib/rez-backup/repository', password: 'restic_password' }],
    sources: [{ name: 'media', kind: 'files', paths: ['/var/lib/rezapp/media'] }],
  });
  files['etc/rez-backup/secrets/restic_password'] = 'a password\n';
  files['var/lib/rezapp/media/picture'] = 'a picture\n';
  const all = { ...PROGRAMS, restic: 'usr/bin/restic', 'rez-otelcol': 'usr/local/bin/rez-otelcol' };
  const programs = Object.entries(all)
    .filter(([name]) => where(name))
    .map(([name, to]) => [where(name), to]);
  const node = ['usr/bin/node', process.execPath];
  // The real file, but for the maintenance: on the first Sunday of a month it would mute this test.
  const settings = config();
  settings.time_intervals[0].time_intervals = [{ years: ['2000'] }];
  const alertmanager = path.join(folder, 'alertmanager.yml');
  fs.writeFileSync(alertmanager, stringify(settings));
  const ops = { [OPS]: 'opt/rez/ops', [alertmanager]: 'opt/rez/ops/alertmanager/alertmanager.yml' };
  return { files, binds: { ...Object.fromEntries(programs), [node[1]]: node[0], ...ops } };
}

/** Fetches inside the namespace of the network. */
const get = (host, url, options = {}) =>
  host.run(
    '/usr/bin/node',
    '-e',
    `fetch(${JSON.stringify(url)}, ${JSON.stringify(options)}).then(async (response) => {
      process.stdout.write(await response.text()); process.exitCode = response.ok ? 0 : 1; })`,
  );

test('systemd runs all of it', {
  skip: missing(...Object.keys(PROGRAMS), 'nsenter') || systemdMissing(),
}, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-host-'));
  later(t, () => fs.rmSync(folder, { recursive: true }));
  const host = await boot({ ...world(folder), unit: 'rez-monitoring.target' });
  later(t, () => host.stop());

  await t.test('every server and exporter starts without a secret, and answers', async () => {
    for (const [name, url] of Object.entries(SERVICES)) {
      await until(`${name} answers`, () => {
        const { NRestarts, ActiveState } = host.show(name, 'NRestarts', 'ActiveState');
        if (ActiveState === 'failed' || NRestarts !== '0')
          throw new Error(host.run('journalctl', '-u', name, '-n', '20'));
        return get(host, url);
      });
      const { User, DynamicUser, NoNewPrivileges } = host.show(name, 'User', 'DynamicUser', 'NoNewPrivileges');
      assert.ok(DynamicUser === 'yes' || User === name, name);
      assert.equal(NoNewPrivileges, 'yes', name);
    }
  });

  await t.test('a credential without a file and without a default stops a service', async () => {
    try {
      host.run('systemctl', 'start', 'plain.service');
    } catch {
      // It fails at once, or right after the start.
    }
    await until('it has failed', () => host.show('plain.service', 'ExecMainStatus').ExecMainStatus === '243');
  });

  await t.test(
    'Alertmanager sends to the address in the file of root, and reports the secret that is missing',
    async () => {
      const secret = '/etc/alertmanager/secrets/slack_webhook_url';
      host.run(
        'sh',
        '-c',
        `umask 077 && mkdir -p $(dirname ${secret}) && echo http://127.0.0.1:8080/slack > ${secret}`,
      );
      host.run('systemctl', 'restart', 'rez-alertmanager');
      await until('it is ready', () => get(host, 'http://127.0.0.1:9093/-/ready'));
      const alert = {
        labels: { alertname: 'Test', severity: 'P0', team: 'devops' },
        annotations: { summary: 'a test' },
      };
      get(host, 'http://127.0.0.1:9093/api/v2/alerts', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify([alert]),
      });
      const got = await until('Slack has it', () => get(host, 'http://127.0.0.1:8080/'));
      assert.match(got, /#production-alerts/);
      await until('the log names PagerDuty', () =>
        /receiver=pagerduty .*routing key cannot be empty/.test(
          host.run('journalctl', '-u', 'rez-alertmanager', '--no-pager'),
        ),
      );
    },
  );

  await t.test('what is killed runs again: a server, and nginx under the drop-in', async () => {
    for (const name of ['rez-blackbox-exporter', 'nginx']) {
      const before = host.show(name, 'MainPID').MainPID;
      host.run('systemctl', 'kill', '--signal=SIGKILL', name);
      await until(`${name} runs again`, () => {
        const { MainPID, ActiveState, NRestarts } = host.show(name, 'MainPID', 'ActiveState', 'NRestarts');
        return ActiveState === 'active' && MainPID !== before && NRestarts === '1';
      });
    }
    // An end without an error too, which Restart=on-failure would leave.
    host.run('systemctl', 'kill', '--signal=SIGTERM', 'nginx');
    await until('nginx runs again', () => host.show('nginx', 'NRestarts', 'ActiveState').NRestarts === '2');
    host.run('systemctl', 'stop', 'nginx');
    assert.equal(host.show('nginx', 'ActiveState').ActiveState, 'inactive');
  });

  await t.test('a job that fails is failed, and one that finds another at work is not', async () => {
    const end = (code) => {
      host.run('sh', '-c', `echo ${code} > /etc/rez-backup/exit-code`);
      try {
        host.run('systemctl', 'start', 'rez-backup-check.service');
      } catch {
        // The result is in the unit.
      }
      return host.show('rez-backup-check.service', 'ActiveState', 'Result', 'ExecMainStatus');
    };
    assert.deepEqual(end(75), { ActiveState: 'inactive', Result: 'success', ExecMainStatus: '75' });
    assert.deepEqual(end(1), { ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '1' });
  });

  await t.test(
    'the Collector keeps what it receives without a secret of any exporter',
    {
      skip: missing('rez-otelcol'),
    },
    async () => {
      const state = () => host.show('rez-collector', 'ActiveState', 'NRestarts');
      await until('it answers', () => {
        if (state().NRestarts !== '0') throw new Error(host.run('journalctl', '-u', 'rez-collector', '-n', '20'));
        return get(host, 'http://127.0.0.1:13133/');
      });
      const record = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'hello' } }] }] }] };
      get(host, 'http://127.0.0.1:4318/v1/logs', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(record),
      });
      await until('it is in the file', () =>
        /hello/.test(host.run('cat', '/var/lib/private/rez-collector/archive.json')),
      );
      assert.match(host.run('journalctl', '-u', 'rez-collector'), /datadog: left out: it needs DD_API_KEY/);
    },
  );

  await t.test(
    'the backup saves a file that only its owner can read, the drill restores it, and the metrics reach node_exporter',
    {
      skip: missing('restic'),
    },
    async () => {
      host.run(
        'sh',
        '-c',
        'mkdir /var/lib/rezapp/media/shared && chmod 2750 /var/lib/rezapp/media/shared && chown -R 1000 /var/lib/rezapp/media && chmod go= /var/lib/rezapp/media/picture',
      );
      host.run('/usr/bin/node', '/opt/rez/ops/backup/rez-backup.mjs', 'init');
      for (const name of ['rez-backup', 'rez-backup-drill']) {
        try {
          host.run('systemctl', 'start', `${name}.service`);
        } catch (error) {
          throw new Error(`${error.message}\n${host.run('journalctl', '-u', name, '-n', '30')}`);
        }
        assert.deepEqual(host.show(name, 'Result', 'ExecMainStatus'), { Result: 'success', ExecMainStatus: '0' });
      }
      assert.match(get(host, SERVICES['rez-node-exporter']), /^rez_backup\w+\{/m);
    },
  );

  await t.test('node_exporter shows what UnitFailed, UnitRestarting and NginxDown ask for', () => {
    const metrics = get(host, SERVICES['rez-node-exporter']);
    const value = (name, ...labels) =>
      metrics
        .split('\n')
        .find((line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)))
        ?.split(' ')
        .at(-1);
    const state = (unit, name) => value('node_systemd_unit_state', `name="${unit}"`, `state="${name}"`);
    assert.equal(state('rez-backup-check.service', 'failed'), '1');
    assert.equal(state('rez-backup-drill.service', 'failed'), '0');
    assert.equal(state('rez-prometheus.service', 'active'), '1');
    assert.equal(state('nginx.service', 'active'), '0');
    assert.equal(value('node_systemd_service_restart_total', 'name="rez-blackbox-exporter.service"'), '1');
    assert.equal(value('node_systemd_unit_state', 'name="plain.service"'), undefined);
  });
});
