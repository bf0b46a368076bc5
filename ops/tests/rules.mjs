/** The rules and their tests, read from the files. */
import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { OPS } from './programs.mjs';

export const PROMETHEUS = path.join(OPS, 'prometheus');

/** The parsed files of a folder of `prometheus`, by name. */
function files(folder) {
  return fs
    .readdirSync(path.join(PROMETHEUS, folder))
    .filter((name) => name.endsWith('.yml'))
    .map((name) => [name, parse(fs.readFileSync(path.join(PROMETHEUS, folder, name), 'utf8'))]);
}

/** Every alert rule, with the file it is in. */
export function alerts() {
  return files('rules').flatMap(([file, { groups }]) =>
    groups.flatMap(({ rules }) => rules.filter((rule) => rule.alert).map((rule) => ({ file, ...rule }))),
  );
}

/** Every expectation of the tests: an alert by name, the metrics that it is given, and the alerts that are expected to fire. */
export function expectations() {
  return files('tests').flatMap(([file, { tests }]) =>
    tests.flatMap(({ name, input_series, alert_rule_test = [] }) => {
      const metrics = input_series.map(({ series }) => series.split('{')[0]);
      return alert_rule_test.map(({ alertname, exp_alerts }) => ({
        ...{ file, test: name, metrics, alert: alertname },
        fires: exp_alerts ?? [],
      }));
    }),
  );
}

/** Names one alert rule: a name can have one rule for each severity, as sloth writes them. */
export const key = (name, severity) => `${name} ${severity}`;
