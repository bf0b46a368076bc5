/**
 * Everything on loopback: Prometheus, Alertmanager, node and blackbox exporter, with copies of the real configuration in which
 * addresses, paths of secrets and times are changed, some jobs are left out, and a probe needs no TLS. Times are divided: a minute
 * becomes four seconds. Ranges in expressions are not.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { ALERTMANAGER, config } from './alertmanager.mjs';
import { freePort, json, start, until } from './programs.mjs';
import { PROMETHEUS } from './rules.mjs';
import * as standins from './standins.mjs';

export const PROGRAMS = ['prometheus', 'alertmanager', 'node_exporter', 'prometheus-blackbox-exporter'];

const UNITS = { s: 1, m: 60, h: 3600 };

/** What times are divided by. More, and a scrape has no time to answer on a busy machine. */
const FASTER = 15;

/** Divides a duration such as `5m` or `2m30s`. */
const faster = (text, by = FASTER) => {
  const seconds = text
    .match(/\d+[smh]/g)
    .reduce((sum, part) => sum + Number.parseInt(part, 10) * UNITS[part.at(-1)], 0);
  return `${Math.round((seconds * 1000) / by)}ms`;
};

const TIMES = new Set([
  ...['scrape_interval', 'evaluation_interval', 'for'],
  ...['group_wait', 'group_interval', 'repeat_interval', 'resolve_timeout'],
]);

/** Divides every time of a configuration in place, once in a part that aliases share. A scrape may take as long as its interval. */
function accelerate(value, seen = new Set()) {
  if (value === null || typeof value !== 'object' || seen.has(value)) return;
  seen.add(value);
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'scrape_timeout') value[key] = value.scrape_interval;
    // It lasts until the next probe has ended, and here a probe may take its whole interval.
    else if (key === 'keep_firing_for') value[key] = faster(inner, FASTER / 2);
    else if (TIMES.has(key) && typeof inner === 'string' && inner !== '0s') value[key] = faster(inner);
    else accelerate(inner, seen);
  }
}

const read = (...names) => parse(fs.readFileSync(path.join(PROMETHEUS, ...names), 'utf8'), { merge: true });

const write = (folder, name, value) => {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, typeof value === 'string' ? value : stringify(value, { aliasDuplicateObjects: false }));
  return file;
};

/** Starts all of it, and waits until every target was scraped. */
export async function startAll() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-ops-'));
  const stops = [];
  const keep = (it) => {
    stops.push(it.stop);
    return it;
  };
  const world = { folder, textfiles: path.join(folder, 'textfiles') };
  world.stop = async () => {
    for (const stop of stops.reverse()) await stop();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  try {
    await build(world, keep);
  } catch (error) {
    await world.stop();
    throw error;
  }
  return world;
}

async function build(world, keep) {
  const { folder, textfiles } = world;
  fs.mkdirSync(textfiles);
  world.slack = keep(await standins.receiver(200));
  world.pagerduty = keep(await standins.receiver(202));
  world.mail = keep(await standins.mailServer());
  world.api = await standins.api();
  // It is stopped by tests too.
  keep({ stop: () => world.api.stop().catch(() => {}) });
  const ports = { node: await freePort(), blackbox: await freePort(), alertmanager: await freePort() };
  ports.prometheus = await freePort();
  ports.closed = await freePort();
  keep(
    start(
      'node_exporter',
      ...[`--web.listen-address=127.0.0.1:${ports.node}`, '--collector.disable-defaults', '--collector.textfile'],
      `--collector.textfile.directory=${textfiles}`,
    ),
  );
  const modules = read('blackbox.yml');
  modules.modules.https_2xx.http.fail_if_not_ssl = false;
  const blackbox = write(folder, 'blackbox.yml', modules);
  keep(
    start(
      'prometheus-blackbox-exporter',
      ...[`--config.file=${blackbox}`, `--web.listen-address=127.0.0.1:${ports.blackbox}`],
    ),
  );
  world.alertmanager = await startAlertmanager(world, ports.alertmanager, {});
  keep({ stop: () => world.alertmanager.stop() });
  /** Starts Alertmanager anew, with another configuration. */
  world.restartAlertmanager = async (changes) => {
    await world.alertmanager.stop();
    world.alertmanager = await startAlertmanager(world, ports.alertmanager, changes);
  };
  world.prometheus = keep(await startPrometheus(world, ports));
}

/** `window`: the time intervals of the maintenance. `missing`: secrets that have no file. */
async function startAlertmanager(world, port, { window, missing = [] }) {
  const { folder } = world;
  const settings = config();
  accelerate(settings);
  const secret = (name, value) => {
    const file = path.join(folder, 'secrets', name);
    fs.rmSync(file, { force: true });
    if (!missing.includes(name)) write(folder, `secrets/${name}`, `${value}\n`);
    return file;
  };
  Object.assign(settings.global, {
    slack_api_url_file: secret('slack_webhook_url', world.slack.url),
    pagerduty_url: world.pagerduty.url,
    smtp_smarthost: world.mail.address,
  });
  const [pagerduty] = settings.receivers.find(({ name }) => name === 'pagerduty').pagerduty_configs;
  pagerduty.routing_key_file = secret('pagerduty_routing_key', 'the-routing-key');
  settings.templates = [path.join(ALERTMANAGER, 'templates/*.tmpl')];
  // Not the real one by default: on the first Sunday of a month it would mute this test.
  settings.time_intervals[0].time_intervals = window ?? [{ years: ['2000'] }];
  const file = write(folder, 'alertmanager.yml', settings);
  const program = start(
    'alertmanager',
    ...[`--config.file=${file}`, `--web.listen-address=127.0.0.1:${port}`, '--cluster.listen-address='],
    `--storage.path=${fs.mkdtempSync(path.join(folder, 'alertmanager-'))}`,
  );
  const url = `http://127.0.0.1:${port}`;
  await until('Alertmanager is ready', async () => {
    if (!program.running) throw new Error(program.log());
    return (await fetch(`${url}/-/ready`)).ok;
  });
  return { ...program, url, log: program.log };
}

async function startPrometheus(world, ports) {
  const { folder } = world;
  const settings = read('prometheus.yml');
  accelerate(settings);
  const targets = {
    api: `127.0.0.1:${world.api.port}`,
    node: `127.0.0.1:${ports.node}`,
    // An exporter that is down.
    redis: `127.0.0.1:${ports.closed}`,
    'uptime-1m': `http://127.0.0.1:${world.api.port}/api/health`,
  };
  for (const [name, target] of Object.entries(targets)) {
    const list = read('targets', `${name}.yml`);
    list[0].targets = [target];
    write(folder, `targets/${name}.yml`, list);
  }
  const own = {
    prometheus: `127.0.0.1:${ports.prometheus}`,
    alertmanager: `127.0.0.1:${ports.alertmanager}`,
    blackbox: `127.0.0.1:${ports.blackbox}`,
  };
  settings.scrape_configs = settings.scrape_configs.filter(({ job_name }) => targets[job_name] || own[job_name]);
  for (const job of settings.scrape_configs) {
    if (job.static_configs) job.static_configs[0].targets = [own[job.job_name]];
    const replacement = job.relabel_configs?.find(({ target_label }) => target_label === '__address__');
    if (replacement) replacement.replacement = own.blackbox;
  }
  settings.alerting.alertmanagers[0].static_configs[0].targets = [own.alertmanager];
  for (const name of fs.readdirSync(path.join(PROMETHEUS, 'rules'))) {
    const rules = read('rules', name);
    accelerate(rules);
    write(folder, `rules/${name}`, rules);
  }
  const file = write(folder, 'prometheus.yml', settings);
  const url = `http://${own.prometheus}`;
  const program = start(
    'prometheus',
    ...[`--config.file=${file}`, `--web.listen-address=${own.prometheus}`, '--rules.alert.resend-delay=1s'],
    `--storage.tsdb.path=${path.join(folder, 'prometheus')}`,
  );
  await until('every target is up, except the exporter that is down', async () => {
    if (!program.running) throw new Error(program.log());
    const { data } = await json(`${url}/api/v1/targets?state=active`);
    const down = data.activeTargets.filter(({ health }) => health !== 'up').map(({ labels }) => labels.job);
    if (data.activeTargets.length !== 7 || down.join() !== 'redis') throw new Error(JSON.stringify(down));
    return true;
  });
  return { ...program, url, log: program.log };
}
