import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { PROGRAMS, startAll } from './live.mjs';
import { json, missing, until } from './programs.mjs';

/** One file system of a host, as the node exporter prints it; the reserved blocks are not available to programs. */
const disk = (free, available) =>
  Object.entries({ size: 100, free, avail: available })
    .map(
      ([name, value]) =>
        `# HELP node_filesystem_${name}_bytes Of a file system.\n# TYPE node_filesystem_${name}_bytes gauge\nnode_filesystem_${name}_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} ${value}\n`,
    )
    .join('');

test('a fault reaches Slack, PagerDuty and mail, and its end too', {
  skip: missing(...PROGRAMS),
  timeout: 800_000,
}, async (t) => {
  const world = await startAll();
  t.after(() => world.stop());
  const { slack, pagerduty, mail } = world;

  const setDisk = (free, available) => {
    // Renamed: the exporter never reads half a file.
    const part = path.join(world.folder, 'part');
    fs.writeFileSync(part, disk(free, available));
    fs.renameSync(part, path.join(world.textfiles, 'disk.prom'));
  };
  const slackOf = (text, end, since = 0) =>
    slack.bodies
      .slice(since)
      .filter(({ attachments: [{ title }] }) => title.includes(text) && end === /^\[Resolved]/.test(title));
  const firing = (text, since) => slackOf(text, false, since);
  const resolved = (text, since) => slackOf(text, true, since);
  const mails = (to, text) => mail.mails.filter((it) => it.to.join() === to && it.text.includes(text));
  /** Waits until a list has something, and returns its first. */
  const first = async (what, list) => (await until(what, () => list().length > 0 && list()))[0];
  const active = async () => json(`${world.alertmanager.url}/api/v2/alerts?active=true&silenced=true&inhibited=true`);
  const alert = async (name) => (await active()).find(({ labels }) => labels.alertname === name);
  const sum = async (name, labels) => {
    const text = await (await fetch(`${world.alertmanager.url}/metrics`)).text();
    const lines = text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) && labels.every((it) => line.includes(it)));
    return lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
  };

  await t.test('a full disk, in a metric of a text file, is told to Slack and by mail', async () => {
    setDisk(19, 14);
    const { channel, attachments } = await first('Slack is told', () => firing('nearly full'));
    assert.equal(channel, '#production-alerts');
    const [{ title, title_link, text, color, footer }] = attachments;
    assert.equal(title, '[P2] / of api-1 is nearly full');
    assert.match(title_link, /\/ops\/runbooks\/HighDiskUsage\.md$/);
    assert.match(
      text,
      /^Disk usage of \/ on api-1 is 85\.26%; the limit is 85%\.\nSince \d{4}-\d\d-\d\d [\d:]+ UTC\. Runbook: https:/,
    );
    assert.equal(color, '#ff9800');
    assert.equal(footer, 'REZ API Monitoring');
    const { text: sent } = await first('mail is sent', () => mails('devops@rezapp.com', 'nearly full'));
    assert.match(sent, /Subject: \[P2\] \/ of api-1 is nearly full/);
  });

  await t.test('the disk that has room again is told as resolved', async () => {
    setDisk(60, 55);
    const { attachments } = await first('Slack is told', () => resolved('nearly full'));
    assert.equal(attachments[0].color, '#36a64f');
    assert.match(attachments[0].text, /^Resolved at .* UTC: \/ of api-1 is nearly full/);
  });

  await t.test('an exporter that is down is told to Slack as P3, and stops nothing else', async () => {
    const { attachments } = await first('Slack is told', () => firing('The redis target'));
    assert.match(attachments[0].title, /^\[P3\] The redis target 127\.0\.0\.1:\d+ is down$/);
  });

  /** What was sent before the API stops. A busy machine can have lost a scrape or two before. */
  const earlier = {};
  let dedup;
  const OF_THE_API = ['ApiDown', 'ApiInstanceDown', 'ApiHealthFailing'];
  await t.test('an API that stops is told to PagerDuty, Slack and the CTO', async () => {
    // In Prometheus too: one that is pending there would fire before ApiDown.
    const query = new URLSearchParams({ query: `ALERTS{alertname=~"${OF_THE_API.join('|')}"}` });
    await until('nothing about the API is pending or fires', async () => {
      const { data } = await json(`${world.prometheus.url}/api/v1/query?${query}`);
      const told = (await active()).filter(({ labels }) => OF_THE_API.includes(labels.alertname));
      return data.result.length === 0 && told.length === 0;
    });
    Object.assign(earlier, { slack: slack.bodies.length, pagerduty: pagerduty.bodies.length });
    await world.api.stop();
    const triggers = () => pagerduty.bodies.slice(earlier.pagerduty).filter((it) => it.event_action === 'trigger');
    const event = await first('PagerDuty is told', triggers);
    assert.equal(event.routing_key, 'the-routing-key');
    assert.equal(event.payload.summary, '[P0] The API is down');
    assert.equal(event.payload.severity, 'critical');
    assert.equal(event.payload.source, 'rezapp-api');
    assert.equal(event.payload.class, 'ApiDown');
    assert.equal(event.payload.component, 'api');
    assert.equal(event.payload.custom_details.firing, 1);
    assert.match(event.links[0].href, /\/ops\/runbooks\/ApiDown\.md$/);
    dedup = event.dedup_key;
    assert.ok(dedup);
    const { channel, attachments } = await first('Slack is told', () => firing('The API is down', earlier.slack));
    assert.equal(channel, '#production-alerts');
    assert.equal(attachments[0].color, '#d32f2f');
    await first('the CTO has a mail', () => mails('cto@rezapp.com', 'The API is down'));
  });

  const silentSymptoms = () => {
    for (const title of ['One instance of the API', 'The health check of the API']) {
      assert.deepEqual(firing(title, earlier.slack), []);
    }
    assert.ok(pagerduty.bodies.slice(earlier.pagerduty).every(({ dedup_key }) => dedup_key === dedup));
  };

  await t.test('the symptoms of the stopped API are inhibited', async () => {
    for (const name of ['ApiInstanceDown', 'ApiHealthFailing']) {
      await until(`${name} is inhibited`, async () => (await alert(name))?.status.inhibitedBy.length > 0);
    }
    silentSymptoms();
  });

  await t.test('the API that answers again resolves the incident of PagerDuty', async () => {
    await world.api.start();
    const resolves = () => pagerduty.bodies.slice(earlier.pagerduty).filter((it) => it.event_action === 'resolve');
    assert.equal((await first('PagerDuty is told', resolves)).dedup_key, dedup);
    await first('Slack is told', () => resolved('The API is down', earlier.slack));
    // The probes see the end last. They open no incident of their own after it, and by now a symptom would have been sent.
    for (const name of ['ApiInstanceDown', 'ApiHealthFailing']) {
      await until(`${name} has ended`, async () => !(await alert(name)));
    }
    silentSymptoms();
  });

  await t.test('PagerDuty got nothing but P0', () => {
    const others = ['HighDiskUsage', 'ExporterDown', 'ApiInstanceDown'];
    assert.ok(pagerduty.bodies.every(({ payload }) => !others.includes(payload.class)));
  });

  await t.test('in the maintenance window nothing is sent', async () => {
    // Every day and every hour: the window has another time, and is otherwise the real one.
    await world.restartAlertmanager({ window: [{ times: [{ start_time: '00:00', end_time: '24:00' }] }] });
    const before = [slack.bodies.length, pagerduty.bodies.length, mail.mails.length];
    setDisk(19, 14);
    await world.api.stop();
    for (const name of ['HighDiskUsage', 'ApiDown']) {
      // A group for each receiver. The list of alerts does not say what mutes them.
      await until(`${name} is muted`, async () => {
        const groups = await json(`${world.alertmanager.url}/api/v2/alerts/groups`);
        const found = groups.flatMap(({ alerts }) => alerts).filter(({ labels }) => labels.alertname === name);
        return found.length > 0 && found.every(({ status }) => status.mutedBy.length > 0);
      });
    }
    assert.deepEqual([slack.bodies.length, pagerduty.bodies.length, mail.mails.length], before);
  });

  await t.test('what still fires after the window is sent, and a missing secret stops no other receiver', async () => {
    const earlier = pagerduty.bodies.length;
    const before = slack.bodies.length;
    await world.restartAlertmanager({ missing: ['slack_webhook_url'] });
    await until('PagerDuty is told', () => pagerduty.bodies.slice(earlier).some((it) => it.event_action === 'trigger'));
    await until('the log names the file', () =>
      /open .*secrets\/slack_webhook_url: no such file/.test(world.alertmanager.log()),
    );
    assert.ok((await sum('alertmanager_notifications_failed_total', ['integration="slack"'])) > 0);
    assert.equal(slack.bodies.length, before);
    const own = await until('NotificationsFailing reports it', () => alert('NotificationsFailing'));
    assert.equal(own.labels.integration, 'slack');
    await first('mail is sent', () => mails('devops@rezapp.com', 'Alertmanager cannot send to slack'));
  });
});
