import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { config } from './alertmanager.mjs';
import { OPS } from './programs.mjs';
import { PROMETHEUS } from './rules.mjs';

const page = (name) => fs.readFileSync(path.join(OPS, 'incident', name), 'utf8');
const section = (text, heading) => text.split(`## ${heading}\n`)[1]?.split(/\n## /)[0] ?? '';

/** The rows of the severity table, by severity. */
const severities = Object.fromEntries(
  [...section(page('README.md'), 'Severity').matchAll(/^\| (P\d) .*$/gm)].map(([row, name]) => {
    const [, , , , response, resolution, escalation] = row.split('|').map((cell) => cell.trim());
    return [name, { response, resolution, escalation }];
  }),
);

test('the severity table has the times of the guide', () => {
  assert.deepEqual(severities, {
    P0: { response: '15 min', resolution: '1 h', escalation: 'CTO, at once' },
    P1: { response: '30 min', resolution: '4 h', escalation: 'team lead, after 1 h' },
    P2: { response: '2 h', resolution: '24 h', escalation: 'team lead, after 4 h' },
    P3: { response: 'next business day', resolution: '1 week', escalation: 'none' },
  });
});

test('an alert is repeated at the response time of the table', () => {
  const asInterval = { '15 min': '15m', '30 min': '30m', '2 h': '2h', 'next business day': '24h' };
  for (const { routes } of config().route.routes.filter((route) => route.routes)) {
    for (const { matchers, repeat_interval } of routes) {
      const { response } = severities[matchers[0].split(' = ')[1]];
      assert.equal(repeat_interval, asInterval[response], matchers[0]);
    }
  }
});

test('an alert is escalated to whom and when the table says', () => {
  const { groups } = parse(fs.readFileSync(path.join(PROMETHEUS, 'rules/escalation.yml'), 'utf8'));
  const escalated = Object.fromEntries(groups[0].rules.map((rule) => [rule.labels.severity, rule]));
  for (const [severity, { escalation }] of Object.entries(severities)) {
    const [, hours] = escalation.match(/^team lead, after (\d+) h$/) ?? [];
    assert.equal(escalated[severity]?.for, hours && `${hours}h`, severity);
    if (hours) assert.equal(escalated[severity].labels.escalation, 'team-lead');
  }
  const cto = config().route.routes.find(({ receiver }) => receiver === 'cto');
  assert.deepEqual(cto.matchers, ['severity = P0']);
  assert.equal(cto.group_wait, '0s');
});

test('the procedure has the seven steps of the guide with their times', () => {
  const steps = [...section(page('README.md'), 'Procedure').matchAll(/^\| \d\. (.+?) \| (.+?) \| .+ \|$/gm)];
  assert.deepEqual(
    steps.map(([, step, when]) => [step, when]),
    [
      ['Detection', '0 to 5 min'],
      ['Acknowledgment', '5 to 15 min'],
      ['Assessment', '15 to 30 min'],
      ['Communication', 'ongoing'],
      ['Mitigation', 'at once'],
      ['Resolution', 'by severity, see above'],
      ['Post-incident', '24 to 48 h'],
    ],
  );
});

for (const name of ['report.md', 'post-mortem.md']) {
  test(`the example of ${name} fills in every part of the template`, () => {
    const [template, example] = [...page(name).matchAll(/```markdown\n([\s\S]+?)\n```/g)].map(([, text]) => text);
    const headings = (text) => [...text.matchAll(/^## .+$/gm)].map(([line]) => line);
    assert.ok(headings(template).length >= 5);
    assert.deepEqual(headings(example), headings(template));
    for (const field of template.matchAll(/\*\*(.+?)\*\*:/g)) assert.ok(example.includes(field[0]), field[1]);
    assert.doesNotMatch(example, /YYYY|HH:MM/);
  });
}

test('the status page has a text for each state, and the notice of each maintenance', () => {
  const text = page('status-page.md');
  for (const heading of [
    'Investigating',
    'Identified',
    'Monitoring',
    'Resolved',
    'Planned maintenance',
    'Emergency maintenance',
  ]) {
    assert.match(section(text, heading), /^> \*\*/m, heading);
  }
  assert.match(section(text, 'Planned maintenance'), /at least 7 days before/);
  assert.match(section(text, 'Emergency maintenance'), /at least 4 hours before/);
  // The window of the text is that of Alertmanager.
  const [{ times, days_of_month, weekdays }] = config().time_intervals[0].time_intervals;
  assert.deepEqual([days_of_month, weekdays], [['1:7'], ['sunday']]);
  const window = `${times[0].start_time} to ${times[0].end_time} UTC`;
  assert.ok(section(text, 'Planned maintenance').includes(`the first Sunday of a month, ${window}`));
});
