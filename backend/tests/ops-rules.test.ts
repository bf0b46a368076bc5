/** The alert rules in `ops/prometheus` use metrics of MongoDB and of requests that exist, with labels that exist. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { register } from 'prom-client';
import { expect, test } from 'vitest';
import { startMetrics } from '../src/index';

const OPS = join(import.meta.dirname, '../../ops');
const PROMETHEUS = join(OPS, 'prometheus');

/** Labels that a scrape adds, from `prometheus.yml` and `targets/api.yml`. */
const OF_TARGET = ['job', 'instance', 'service', 'node'];

startMetrics();

/** The files of a folder as text, without comments. */
function texts(folder: string): [string, string][] {
  return readdirSync(folder)
    .filter((name) => /\.(yml|md)$/.test(name))
    .map((name) => [name, readFileSync(join(folder, name), 'utf8').replace(/^\s*# .*$/gm, '')]);
}

/** Series in a text. `mongodb:usage:ratio` is a name that a rule records. */
function seriesIn(text: string): string[] {
  return [...new Set(text.match(/(?<![\w:/])(?:mongodb|http)_\w+/g) ?? [])];
}

/** The metric of the package that a series belongs to. A histogram has three series. */
function metricOf(series: string): { name: string; labelNames: string[] } | undefined {
  const found =
    register.getSingleMetric(series) ?? register.getSingleMetric(series.replace(/_(bucket|count|sum)$/, ''));
  return found as unknown as { name: string; labelNames: string[] } | undefined;
}

/** What README.md says the MongoDB exporter emits; `*` stands for any part of a name. */
function ofExporter(): RegExp[] {
  const readme = readFileSync(join(PROMETHEUS, 'README.md'), 'utf8');
  const [, table = ''] = readme.split('| metric | emitted by |');
  const rows = (table.split('\n\n', 1)[0] ?? '').split('\n').map((row) => row.split('|'));
  return rows
    .filter(([, , by = '']) => /mongodb_exporter|the same/.test(by))
    .flatMap(([, names = '']) => names.match(/mongodb_[\w*]+/g) ?? [])
    .map((name) => new RegExp(`^${name.replaceAll('*', '\\w+')}$`));
}

test('every metric of a rule and of a runbook is emitted by the package, or README.md names the MongoDB exporter', () => {
  const exporter = ofExporter();
  expect(exporter.length).toBeGreaterThan(5);
  const files = [...texts(join(PROMETHEUS, 'rules')), ...texts(join(OPS, 'runbooks'))];
  const unknown = files.flatMap(([file, text]) =>
    seriesIn(text)
      .filter((name) => !metricOf(name) && !exporter.some((known) => known.test(name)))
      .map((name) => `${file}: ${name}`),
  );
  expect(unknown).toEqual([]);
  const used = files.flatMap(([, text]) => seriesIn(text)).map((name) => metricOf(name)?.name);
  for (const name of ['http_requests_total', 'mongodb_pool_connections_in_use', 'mongodb_slow_queries_total']) {
    expect(used).toContain(name);
  }
});

test('README.md names no metric of the package that it does not emit', () => {
  const readme = readFileSync(join(PROMETHEUS, 'README.md'), 'utf8');
  const rows = readme.split('\n').filter((line) => line.startsWith('|') && line.includes('the backend package'));
  const named = rows.flatMap(seriesIn);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !metricOf(name))).toEqual([]);
});

test('a series of the package in a test of the rules has labels that the package or the scrape sets', () => {
  let checked = 0;
  for (const [file, text] of texts(join(PROMETHEUS, 'tests'))) {
    for (const [, series = '', labels = ''] of text.matchAll(/series: '(\w+)\{(.*)\}'/g)) {
      const metric = /^(mongodb|http)_/.test(series) && metricOf(series);
      if (!metric) continue;
      checked += 1;
      const own = [...metric.labelNames, ...(series.endsWith('_bucket') ? ['le'] : []), ...OF_TARGET];
      const wrong = [...labels.matchAll(/(\w+)=/g)].map(([, label]) => label).filter((one) => !own.includes(one ?? ''));
      expect(wrong, `${file}: ${series}`).toEqual([]);
    }
  }
  expect(checked).toBeGreaterThan(10);
});
