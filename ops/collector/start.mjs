/**
 * Starts the OpenTelemetry Collector with the files of `config` whose secrets are there: `node start.mjs [options] [file ..]`
 *
 * A secret is an environment variable, or a file of its name in `$CREDENTIALS_DIRECTORY`, which systemd's `LoadCredential=` makes. A file
 * of `config` needs each variable that it reads as `${env:NAME}`; `${env:NAME:-value}` has a default.
 */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const USAGE = `usage: node start.mjs [--collector PROGRAM] [--print | --validate] [file ..]

Without names, every file of the folder config is included whose secrets are there.

  --collector PROGRAM  the Collector; else rez-otelcol in PATH
  --print              show the command, and end
  --validate           let the Collector check the files, and end`;

const CONFIG = path.join(import.meta.dirname, 'config');

/** What is always included. */
const BASE = 'base';

/** It counts, and keeps no event: alone it is run only if it is named. */
const COUNTS = 'prometheus';

/** Without it a receiver of log files moves its position before the exporters have the lines. */
const GATES = '--feature-gates=stanza.synchronousLogEmitter';

/** A queue that cannot be written after a restart loses what it holds. */
const FREE_MIB = 256;

/** As the base has it. */
const STATE = '/var/lib/rez-collector';

/** An operator's mistake: told in one line, without a stack. */
class Mistake extends Error {}

function main() {
  const { values, positionals } = parseArguments();
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const program = values.collector ?? 'rez-otelcol';
  const environment = withCredentials(process.env, process.env.CREDENTIALS_DIRECTORY);
  // The unit may name several; the first is ours.
  const state = environment.STATE_DIRECTORY?.split(':')[0];
  if (state) environment.STATE_DIRECTORY = state;
  environment.HOSTNAME ||= os.hostname();

  const built = componentsOf(program);
  const included = [BASE];
  for (const name of chosen(positionals)) {
    const why = reasonAgainst(read(name), environment, built);
    if (why) console.error(`${name}: left out: ${why}`);
    else included.push(name);
  }
  const keeps = (name) => /^exporters:/m.test(read(name)) && (name !== COUNTS || positionals.includes(COUNTS));
  if (!included.some(keeps)) {
    throw new Mistake(
      `no exporter is left that keeps events: set the variables of one, or name ${COUNTS} to count only; see ops/collector/README.md`,
    );
  }
  console.error(`included: ${included.join(', ')}`);

  const files = included.flatMap((name) => ['--config', path.join(CONFIG, `${name}.yml`)]);
  const command = [...(values.validate ? ['validate'] : []), GATES, ...files];
  if (values.print) {
    console.log([program, ...command].join(' '));
    return;
  }
  if (!values.validate) requireSpace(environment.STATE_DIRECTORY ?? STATE);
  for (const name of new Set(included.flatMap((name) => variablesOf(read(name)).map(({ name }) => name)))) {
    // The Collector would replace `$NAME` and `${..}` in a value too.
    if (environment[name]) environment[name] = environment[name].replaceAll('$', '$$$$');
    // A line `NAME=` of a file of variables: the Collector takes its default only if there is none.
    else delete environment[name];
  }
  run(program, command, environment);
}

function parseArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        collector: { type: 'string' },
        print: { type: 'boolean' },
        validate: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new Mistake(`${error.message}\n${USAGE}`);
  }
}

const read = (name) => fs.readFileSync(path.join(CONFIG, `${name}.yml`), 'utf8');

/** The names of the files beside the base. */
function chosen(names) {
  const known = fs
    .readdirSync(CONFIG)
    .filter((file) => file.endsWith('.yml'))
    .map((file) => file.slice(0, -'.yml'.length))
    .filter((name) => name !== BASE)
    .sort();
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Mistake(`no ${unknown.join(', ')} in ${CONFIG}: there are ${known.join(', ')}`);
  return names.length > 0 ? [...new Set(names)] : known;
}

/** The environment, with credentials under their names in upper case. */
function withCredentials(environment, folder) {
  const all = { ...environment };
  if (!folder) return all;
  let files;
  try {
    files = fs.readdirSync(folder);
  } catch (error) {
    throw new Mistake(`CREDENTIALS_DIRECTORY ${folder} cannot be read: ${error.code}`);
  }
  for (const file of files) all[file.toUpperCase()] = fs.readFileSync(path.join(folder, file), 'utf8').trim();
  return all;
}

/** Why a file cannot be included. */
function reasonAgainst(text, environment, built) {
  const variables = variablesOf(text);
  const lacks = new Set(variables.filter(({ name, needed }) => needed && !environment[name]).map(({ name }) => name));
  if (lacks.size > 0) return `it needs ${[...lacks].join(' and ')}, as a variable or a credential`;
  for (const { name } of variables) {
    const wrong = environment[name] && name.endsWith('_ENDPOINT') && reasonAgainstAddress(name, environment[name]);
    if (wrong) return `${name} ${wrong}`;
  }
  const absent = componentsIn(text).filter((name) => !built.has(name));
  return absent.length > 0 ? `this Collector was built without ${absent.join(', ')}` : undefined;
}

/** The variables that a file reads. */
function variablesOf(text) {
  const found = text.matchAll(/\$\{env:(\w+)(:-)?/g);
  return [...found].map(([, name, value]) => ({ name, needed: !value }));
}

const SCHEMES = ['https:', 'http:'];
const SCHEMES_OF = { CLICKHOUSE_ENDPOINT: ['clickhouse:', 'tcp:', ...SCHEMES] };

/** A server answers a wrong path with 404, and the Collector drops what was answered so. */
function reasonAgainstAddress(name, text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const schemes = SCHEMES_OF[name] ?? SCHEMES;
  if (!url?.host || !schemes.includes(url.protocol)) return `is no address such as ${schemes[0]}//host:port`;
  const [path] = /\/v1\/(logs|metrics|traces)\/?$/.exec(url.pathname) ?? [];
  return path && `ends in ${path}, which the Collector adds itself`;
}

/** Throws if the disk of a folder, which need not exist yet, has too little space. */
function requireSpace(folder) {
  let existing = path.resolve(folder);
  while (!fs.existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize } = fs.statfsSync(existing);
  const free = Math.floor((bavail * bsize) / 2 ** 20);
  if (free < FREE_MIB) {
    throw new Mistake(
      `${existing} has ${free} MiB free, ${FREE_MIB} are needed: with a full disk the queues lose what they hold. Make space, then start again`,
    );
  }
}

/** The types of the components that a file defines: `otlp_http` of `otlp_http/sentry`. */
function componentsIn(text) {
  const sections = text.matchAll(/^(?:receivers|processors|connectors|exporters|extensions):\n((?: .*\n|#.*\n|\n)*)/gm);
  const types = [...sections].flatMap(([, lines]) => [...lines.matchAll(/^ {2}(\w+)(?:\/[\w-]+)?:/gm)]);
  return [...new Set(types.map(([, type]) => type))];
}

/** The types of the components that a Collector has. */
function componentsOf(program) {
  try {
    const text = execFileSync(program, ['components'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return new Set([...text.matchAll(/^ +- name: (\w+)/gm)].map(([, name]) => name));
  } catch (error) {
    const why = error.code === 'ENOENT' ? 'there is no such program' : error.message;
    throw new Mistake(`the Collector ${program} cannot be run: ${why}. Build it from ops/collector/manifest.yml`);
  }
}

/** Runs the Collector until it ends. Signals are passed on: it ends by itself, and what it has received is in its queues. */
function run(program, command, environment) {
  const child = spawn(program, command, { stdio: 'inherit', env: environment });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${program}: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + os.constants.signals[signal];
  });
}

function fail(message) {
  console.error(`start.mjs: ${message}`);
  process.exitCode = 2;
}

try {
  main();
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  fail(error.message);
}
