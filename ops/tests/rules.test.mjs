import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { missing, OPS, output } from './programs.mjs';
import { alerts, expectations, key, PROMETHEUS } from './rules.mjs';

const inFolder = (folder) =>
  fs
    .readdirSync(path.join(PROMETHEUS, folder))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => path.join(PROMETHEUS, folder, name));

test('promtool accepts the scrape configuration with its target lists', { skip: missing('promtool') }, () => {
  const printed = output('promtool', 'check', 'config', path.join(PROMETHEUS, 'prometheus.yml'));
  assert.match(printed, /is valid prometheus config file syntax/);
});

test('promtool finds nothing to criticise in the rules', { skip: missing('promtool') }, () => {
  output('promtool', 'check', 'rules', '--lint=all', '--lint-fatal', ...inFolder('rules'));
});

test('every alert fires at its minute with its labels and text, and not before', { skip: missing('promtool') }, () => {
  output('promtool', 'test', 'rules', ...inFolder('tests'));
});

test('the blackbox exporter accepts its modules', { skip: missing('prometheus-blackbox-exporter') }, () => {
  output('prometheus-blackbox-exporter', '--config.check', `--config.file=${path.join(PROMETHEUS, 'blackbox.yml')}`);
});

test('the rules of the objectives are what sloth generates', { skip: missing('sloth') }, () => {
  const generated = output('sloth', 'generate', '--no-log', '-i', path.join(PROMETHEUS, 'slo.yml'));
  const committed = fs.readFileSync(path.join(PROMETHEUS, 'rules/slo.yml'), 'utf8');
  assert.equal(generated, committed, 'run: cargo xtask ops slo');
});

test('as many alerts are tested as there are, each firing and each silent', () => {
  const rules = alerts().map(({ alert, labels }) => key(alert, labels.severity));
  assert.ok(rules.length > 0);
  assert.equal(new Set(rules).size, rules.length, 'an alert with the same name and severity exists twice');
  const expected = expectations();
  const fired = new Set(
    expected.flatMap(({ alert, fires }) => fires.map(({ exp_labels }) => key(alert, exp_labels.severity))),
  );
  assert.deepEqual([...fired].sort(), [...rules].sort());
  // A case in which the alert never fires, on the metrics on which it fires elsewhere: the series just below the limit.
  const loud = expected.filter(({ fires }) => fires.length > 0);
  const isLoud = new Set(loud.map((it) => it.file + it.test));
  const silent = expected.filter((it) => !isLoud.has(it.file + it.test));
  assert.deepEqual(
    [...new Set(silent.map(({ alert }) => alert))].sort(),
    [...new Set(alerts().map(({ alert }) => alert))].sort(),
  );
  for (const { test: name, alert, metrics } of silent) {
    const known = new Set(loud.filter((it) => it.alert === alert).flatMap((it) => it.metrics));
    // What fires on nothing at all has no series there.
    if (known.size > 0)
      assert.ok(
        metrics.some((metric) => known.has(metric)),
        `${name}: no series of the alert`,
      );
  }
});

test('every alert has a severity, a team, a summary, a description with the value, and a runbook that exists', () => {
  for (const { alert, labels, annotations } of alerts()) {
    assert.match(labels.severity, /^P[0-3]$/, alert);
    // sloth puts the team on the recorded series, from which the alert inherits it.
    if (!labels.sloth_severity) assert.match(labels.team, /^(devops|database|\{\{ \$labels\.team \}\})$/, alert);
    assert.ok(annotations.summary, alert);
    // What escalates has been described by its own alert.
    if (!alert.startsWith('Escalated')) assert.match(annotations.description, /\$value/, alert);
    assert.match(annotations.runbook_url, /^https:\/\//, alert);
    const page = annotations.runbook_url.split('/ops/runbooks/')[1];
    assert.equal(page, `${alert}.md`, alert);
    assert.ok(fs.existsSync(path.join(OPS, 'runbooks', page)), `no ops/runbooks/${page}`);
  }
});

test('every target of a host has a node, so that NodeDown silences what was measured on it', () => {
  for (const job of ['api', 'mongodb', 'nginx', 'node', 'redis']) {
    const list = parse(fs.readFileSync(path.join(PROMETHEUS, 'targets', `${job}.yml`), 'utf8'));
    for (const { labels } of list) assert.ok(labels.node, `ops/prometheus/targets/${job}.yml`);
  }
});

test('a runbook belongs to an alert, and says what it means, what to look at and how to mend', () => {
  const names = new Set(alerts().map(({ alert }) => alert));
  for (const file of fs.readdirSync(path.join(OPS, 'runbooks')).filter((name) => name !== 'README.md')) {
    assert.ok(names.has(file.replace('.md', '')), `ops/runbooks/${file}: no such alert`);
    const text = fs.readFileSync(path.join(OPS, 'runbooks', file), 'utf8');
    for (const heading of [
      `# ${file.replace('.md', '')}`,
      '## What it means',
      '## What to look at',
      '## How to mend',
    ]) {
      assert.ok(text.includes(`${heading}\n`), `ops/runbooks/${file}: no "${heading}"`);
    }
  }
});
