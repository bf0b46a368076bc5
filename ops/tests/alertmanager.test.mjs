import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ALERTMANAGER, CONFIG, config, secrets } from './alertmanager.mjs';
import { missing, output } from './programs.mjs';

test('amtool accepts the configuration with its templates', { skip: missing('amtool') }, () => {
  assert.match(output('amtool', 'check-config', CONFIG), /1 templates\n\s*SUCCESS/);
});

/** The receivers of the guide: P0 to PagerDuty and the CTO, every alert to the channel and the mail of its team. */
const ROUTES = [];
for (const team of ['devops', 'database']) {
  ROUTES.push([{ severity: 'P0', team }, `pagerduty,cto,${team}`]);
  for (const severity of ['P1', 'P2', 'P3']) {
    ROUTES.push([{ severity, team }, team]);
    if (severity !== 'P3') ROUTES.push([{ severity, team, escalation: 'team-lead' }, `team-lead,${team}`]);
  }
}
// An alert of another rule file, without our labels, is not lost.
ROUTES.push(
  [{ alertname: 'Foreign' }, 'devops'],
  [{ alertname: 'Foreign', severity: 'critical', team: 'web' }, 'devops'],
);

for (const [labels, receivers] of ROUTES) {
  const args = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  test(`an alert with ${args.join(' ')} goes to ${receivers}`, { skip: missing('amtool') }, () => {
    output('amtool', 'config', 'routes', 'test', `--config.file=${CONFIG}`, `--verify.receivers=${receivers}`, ...args);
  });
}

test('PagerDuty gets nothing but P0, and every receiver is used', () => {
  const { receivers } = config();
  const used = new Set(ROUTES.flatMap(([, names]) => names.split(',')));
  assert.deepEqual([...used].sort(), receivers.map(({ name }) => name).sort());
  for (const { name, pagerduty_configs } of receivers) assert.equal(Boolean(pagerduty_configs), name === 'pagerduty');
  for (const { name, email_configs } of receivers) assert.equal(Boolean(email_configs), name !== 'pagerduty');
});

const minutes = (text) => Number.parseInt(text, 10) * { s: 1 / 60, m: 1, h: 60 }[text.at(-1)];

test('an alert is repeated as often as the guide wants an answer', () => {
  const RESPONSE = { P0: 15, P1: 30, P2: 120, P3: 24 * 60 };
  const teams = config().route.routes.filter((route) => route.routes);
  assert.equal(teams.length, 2);
  for (const { routes } of teams) {
    const found = routes.map(({ matchers, repeat_interval }) => [
      matchers[0].split(' = ')[1],
      minutes(repeat_interval),
    ]);
    assert.deepEqual(Object.fromEntries(found), RESPONSE);
  }
});

test('the maintenance window mutes every route', () => {
  const check = (route) => {
    assert.deepEqual(route.mute_time_intervals, ['maintenance'], JSON.stringify(route.matchers));
    route.routes?.forEach(check);
  };
  // The root cannot be muted; its last child takes every alert.
  const { routes } = config().route;
  routes.forEach(check);
  assert.deepEqual(routes.at(-1).matchers, ['team =~ ".*"']);
});

test('the maintenance window is the first Sunday of a month, 02:00 to 04:00 UTC', {
  skip: missing('maintenance'),
}, () => {
  const TIMES = [
    ['2026-12-06T02:00:00Z', 'maintenance'],
    ['2026-12-06T03:59:59Z', 'maintenance'],
    ['2026-12-06T01:59:59Z', ''],
    ['2026-12-06T04:00:00Z', ''],
    // The second Sunday; a Saturday and a Monday of the first week.
    ['2026-12-13T03:00:00Z', ''],
    ['2026-12-05T03:00:00Z', ''],
    ['2026-12-07T03:00:00Z', ''],
    // A month that begins with a Sunday, and one whose first Sunday is the 7th.
    ['2026-11-01T03:00:00Z', 'maintenance'],
    ['2026-11-08T03:00:00Z', ''],
    ['2027-02-07T03:00:00Z', 'maintenance'],
    // The same moment in another zone, and the same wall clock in it.
    ['2026-12-06T08:00:00+05:30', 'maintenance'],
    ['2026-12-06T03:00:00+05:30', ''],
  ];
  const printed = output('maintenance', CONFIG, ...TIMES.map(([time]) => time));
  assert.deepEqual(
    printed.trimEnd().split('\n'),
    TIMES.map((pair) => pair.join(' ').trimEnd()),
  );
});

test('secrets are files outside the repository, and the page names each', () => {
  const readme = fs.readFileSync(path.join(ALERTMANAGER, 'README.md'), 'utf8');
  assert.ok(secrets().length >= 2);
  for (const [, file] of secrets()) {
    assert.ok(file.startsWith('/etc/alertmanager/secrets/'), file);
    assert.ok(readme.includes(`\`${path.basename(file)}\``), `${file} is not in README.md`);
  }
  assert.ok(!fs.existsSync(path.join(ALERTMANAGER, 'secrets')));
});
