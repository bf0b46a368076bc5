#!/usr/bin/env node
// Backup, restore and restore drill, with restic. Node.js 20 or newer, no packages. Checked with restic 0.14.0, Redis 7.0.15 and
// versitygw 1.8.0 (an S3 server).
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { drill } from './lib/drill.mjs';
import { EXIT, Failure } from './lib/failure.mjs';
import { health } from './lib/health.mjs';
import { lock } from './lib/lock.mjs';
import { readState, writeState } from './lib/metrics.mjs';
import { stopAll } from './lib/process.mjs';
import { Repository } from './lib/restic.mjs';
import { restore } from './lib/restore.mjs';
import { backUp, check } from './lib/run.mjs';
import { load } from './lib/settings.mjs';
import { snapshots, status } from './lib/status.mjs';

const HELP = `rez-backup COMMAND [OPTIONS]

commands
  init       make the repositories that do not exist
  run        save every source in every repository, remove what the retention does not keep
  check      read a part of each repository, and check it
  list       the snapshots
  status     the last results, from the state folder alone
  restore    replace data with that of a snapshot: asks first, compares everything, and only then replaces
  drill      restore into a scratch folder, measure, and compare with the recovery targets
  health     wait until the URL "health" of the settings answers

options
  --settings FILE       default: $REZ_BACKUP_SETTINGS, or /etc/rez-backup/backup.json
  --source NAME         only this source; several times for several
  --repository NAME     only this repository; restore and drill take the first that works
  --host NAME           list, restore: snapshots of another host
  --snapshot ID         restore: this snapshot of the one source
  --at TIME             restore: the last snapshots that are not after it (2026-12-01T12:00:00Z)
  --oplog-limit T[:N]   restore: replay MongoDB's oplog up to this time (seconds since 1970)
  --target FOLDER       restore: into this empty folder, replacing nothing
  --yes                 restore: do not ask
  --strict              drill: a missed target is a failure too
  --help

exit codes: 0 done, 1 failed, 2 wrong usage or settings, 75 another rez-backup runs`;

const OPTIONS = {
  settings: { type: 'string' },
  source: { type: 'string', multiple: true },
  repository: { type: 'string' },
  host: { type: 'string' },
  snapshot: { type: 'string' },
  at: { type: 'string' },
  'oplog-limit': { type: 'string' },
  target: { type: 'string' },
  yes: { type: 'boolean' },
  strict: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
};

/** The options that a command understands, beside those of all. */
const OWN = {
  init: [],
  run: ['source'],
  check: [],
  list: ['source', 'host'],
  status: [],
  restore: ['source', 'host', 'snapshot', 'at', 'oplog-limit', 'target', 'yes'],
  drill: ['source', 'strict'],
  health: [],
};
const COMMON = ['settings', 'repository', 'help'];

const log = (text) => console.log(text);
const usage = (text) => new Failure(`${text}; rez-backup --help`, { code: EXIT.usage });

/** Sources that fail for the same reason say it once. */
function fail(all) {
  const errors = [...new Set(all)];
  if (errors.length > 0) throw new Failure(errors.length === 1 ? errors[0] : `\n  ${errors.join('\n  ')}`);
}

function command() {
  let parsed;
  try {
    parsed = parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usage(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help || positionals.length === 0) return { name: 'help', values };
  const [name, ...more] = positionals;
  if (!OWN[name]) throw usage(`unknown command ${name}`);
  if (more.length > 0) throw usage(`unknown argument ${more[0]}`);
  const other = Object.keys(values).find((it) => !OWN[name].includes(it) && !COMMON.includes(it));
  if (other) throw usage(`${name} has no option --${other}`);
  if (values.snapshot && values.source?.length !== 1) throw usage('--snapshot needs one --source');
  if (values.snapshot && !/^[0-9a-f]{4,64}$/.test(values.snapshot)) throw usage('--snapshot needs an id of `list`');
  if (values.snapshot && values.at) throw usage('--snapshot and --at exclude each other');
  if (values.at && Number.isNaN(Date.parse(values.at))) throw usage(`--at ${values.at} is no time`);
  const limit = values['oplog-limit'];
  if (limit && !/^\d+(:\d+)?$/.test(limit)) throw usage(`--oplog-limit ${limit} is not SECONDS or SECONDS:ORDINAL`);
  return { name, values };
}

/** The parts of the settings with these names; all without names. */
function choose(parts, names, what) {
  const unknown = names?.find((name) => !parts.some((it) => it.name === name));
  if (unknown) {
    throw usage(`the settings have no ${what} ${unknown}; they have ${parts.map(({ name }) => name).join(', ')}`);
  }
  return names ? parts.filter(({ name }) => names.includes(name)) : parts;
}

/** Makes a repository that is not there. */
async function make(repository) {
  try {
    await repository.open();
    log(`${repository.name}: is there already`);
  } catch (error) {
    // restic refuses to make one where one is; a wrong key fails again, with its own text.
    if (!/no repository is reachable/.test(error.message)) throw error;
    await repository.init();
    log(`${repository.name}: made at ${repository.url}`);
  }
}

async function init({ settings, repositories }) {
  const errors = [];
  for (const repository of repositories) await make(repository).catch((error) => errors.push(error.message));
  // From now on a host without a run is one whose backup is too old.
  writeState(settings, readState(settings));
  fail(errors);
}

/** What the guide's script did after the data: the team's own commands, and the health check. */
function next({ settings }) {
  const steps = [...settings.next];
  if (settings.health) steps.push(`rez-backup health --settings ${settings.file}`);
  if (steps.length > 0) log(`next:\n${steps.map((step, index) => `  ${index + 1}. ${step}`).join('\n')}`);
}

const COMMANDS = {
  init,
  async run(context) {
    fail(await backUp(context));
  },
  async check(context) {
    fail(await check(context));
  },
  async list(context) {
    const { text, errors } = await snapshots(context);
    if (errors.length === context.repositories.length) fail(errors);
    log(text);
    for (const error of errors) console.error(`rez-backup: ${error}`);
  },
  async status(context) {
    log(status(context));
  },
  async restore(context) {
    const { target } = context;
    if (target) {
      fs.mkdirSync(target, { recursive: true });
      if (fs.readdirSync(target).length > 0) throw new Failure(`--target ${target} is not empty: name another folder`);
      context.target = fs.realpathSync(target);
    }
    await restore(context);
    if (!target) next(context);
  },
  async drill(context) {
    const { errors, missed } = await drill(context);
    fail(errors);
    if (context.strict) fail(missed.map(({ title }) => `${title} misses its target`));
  },
  async health({ settings }) {
    if (!settings.health) throw usage(`${settings.file}: health: names no URL`);
    await health(settings.health, { seconds: settings.healthSeconds, log });
  },
};

/** Commands that only read. */
const WITHOUT_LOCK = ['list', 'status', 'health'];

async function main() {
  const { name, values } = command();
  if (name === 'help') return log(HELP);
  const file = values.settings ?? process.env.REZ_BACKUP_SETTINGS ?? '/etc/rez-backup/backup.json';
  const settings = load(file);
  const now = () => new Date();
  const chosen = choose(settings.repositories, values.repository && [values.repository], 'repository');
  const context = {
    settings,
    sources: choose(settings.sources, values.source, 'source'),
    repositories: chosen.map((it) => new Repository(settings, it)),
    host: values.host ?? (name === 'restore' ? settings.host : undefined),
    snapshot: values.snapshot,
    at: values.at && new Date(values.at),
    oplogLimit: values['oplog-limit'],
    target: values.target,
    yes: values.yes,
    strict: values.strict,
    now,
    log,
  };
  if (!WITHOUT_LOCK.includes(name)) {
    fs.mkdirSync(settings.stateFolder, { recursive: true, mode: 0o700 });
    await lock(settings.stateFolder, name, now());
  }
  await COMMANDS[name](context);
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stopAll);
try {
  await main();
} catch (error) {
  // A stack helps only where the program is wrong.
  const known = error instanceof Failure || error.code;
  console.error(`rez-backup: ${known ? error.message : error.stack}`);
  process.exitCode = error instanceof Failure ? error.code : EXIT.failed;
}
