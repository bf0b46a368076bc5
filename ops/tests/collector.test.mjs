import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { COLLECTOR, fileOf, GATES, NAMES, PROGRAM, SECRETS, START, textOf, without } from './collector.mjs';
import { later, missing } from './programs.mjs';

const run = promisify(execFile);
const skip = missing(PROGRAM);

/** Two exporters that this Collector is built without, and their keys: `config.schema.yaml` of 0.155.0, and the settings of AWS sessions. */
const SESSION = [
  ...[
    'endpoint',
    'external_id',
    'imds_retries',
    'local_mode',
    'max_retries',
    'no_verify_ssl',
    'num_workers',
    'proxy_address',
  ],
  ...['region', 'request_timeout_seconds', 'resource_arn', 'role_arn', 'certificate_file_path'],
];
const AWS = {
  awsemf: [
    ...[
      'detailed_metrics',
      'dimension_rollup_option',
      'eks_fargate_container_insights_enabled',
      'log_group_name',
      'log_retention',
    ],
    ...['log_stream_name', 'metric_declarations', 'metric_descriptors', 'namespace', 'output_destination'],
    ...[
      'parse_json_encoded_attr_values',
      'resource_to_telemetry_conversion',
      'retain_initial_value_of_delta_metric',
      'tags',
      'version',
    ],
    ...SESSION,
  ],
  awscloudwatchlogs: [
    ...['log_group_name', 'log_retention', 'log_stream_name', 'raw_log', 'retry_on_failure', 'sending_queue', 'tags'],
    ...SESSION,
  ],
};

const { REZ_ARCHIVE_FILE } = SECRETS;
const typeOf = (id) => id.split('/')[0];

/** Runs start.mjs to its end. */
async function start(args, variables = {}) {
  const STATE_DIRECTORY = path.join(os.tmpdir(), 'rez-collector-state');
  const env = { ...without(process.env), STATE_DIRECTORY, ...variables };
  // A Collector that starts, where it should not, would run on.
  const ended = await run(process.execPath, [START, ...args], { env, timeout: 120_000 }).catch((error) => error);
  return { code: ended.code ?? 0, out: ended.stdout, told: ended.stderr };
}

const credentials = (t, files) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-credentials-'));
  later(t, () => fs.rmSync(folder, { recursive: true }));
  for (const [name, value] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), `${value}\n`);
  return { CREDENTIALS_DIRECTORY: folder };
};

test('the Collector accepts every combination of the files', { skip }, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-collector-'));
  later(t, () => fs.rmSync(folder, { recursive: true }));
  // The exporter of Datadog asks the cloud for the name of the host.
  const env = { ...without(process.env), ...SECRETS, STATE_DIRECTORY: folder, AWS_EC2_METADATA_DISABLED: 'true' };
  // Its exporters stand aside for one that this Collector has: the pipelines around them are the real ones.
  const cloudwatch = path.join(folder, 'cloudwatch.yml');
  fs.writeFileSync(cloudwatch, withoutAws());
  const consumer = fileOf('from-kafka');
  const files = NAMES.map((name) => (name === 'cloudwatch' ? cloudwatch : fileOf(name))).filter(
    (of) => of !== consumer,
  );
  const combinations = Array.from({ length: 2 ** files.length - 1 }, (_, at) =>
    files.filter((_, bit) => (at + 1) & (1 << bit)),
  );
  // The consumer is one more way in: beside each exporter, and beside all.
  combinations.push(...files.map((file) => [consumer, file]), [consumer, ...files]);
  const failed = [];
  const next = combinations.values();
  const worker = async () => {
    for (const some of next) {
      const args = ['validate', GATES, ...[fileOf('base'), ...some].flatMap((file) => ['--config', file])];
      await run(PROGRAM, args, { env }).catch(({ stderr }) => failed.push(`${some.join(' ')}\n${stderr}`));
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  assert.equal(failed.length, 0, failed[0]);
});

function withoutAws() {
  const settings = parse(textOf('cloudwatch'));
  const instead = (id) => (typeOf(id) in AWS ? `nop/${id.replace('/', '-')}` : id);
  settings.exporters = Object.fromEntries(Object.keys(settings.exporters).map((id) => [instead(id), null]));
  for (const pipeline of Object.values(settings.service.pipelines))
    pipeline.exporters = pipeline.exporters.map(instead);
  return stringify(settings);
}

test('the exporters of AWS have keys of their schema, the namespace and the log groups of the guide', () => {
  const { exporters } = parse(textOf('cloudwatch'));
  for (const [id, settings] of Object.entries(exporters)) {
    const known = AWS[typeOf(id)];
    for (const key of Object.keys(settings ?? {})) assert.ok(known?.includes(key), `${id}: ${key}`);
  }
  assert.equal(exporters.awsemf.namespace, 'REZ/API');
  const groups = Object.entries(exporters).filter(([id]) => typeOf(id) === 'awscloudwatchlogs');
  assert.deepEqual(
    groups.map(([, { log_group_name }]) => log_group_name),
    ['/rezapp/api', '/rezapp/nginx-error'],
  );
});

test('every exporter with a queue keeps it on the disk, and tries until it has delivered', () => {
  const queues = NAMES.flatMap((name) =>
    Object.entries(parse(textOf(name)).exporters ?? {}).map(([id, settings]) => [id, settings]),
  ).filter(([id]) => !['prometheus', 'file', 'nop', 'awsemf'].includes(typeOf(id)));
  assert.ok(queues.length >= 7);
  const [, first] = queues[0];
  assert.equal(first.sending_queue.storage, 'file_storage');
  assert.equal(first.retry_on_failure.max_elapsed_time, '0s');
  // Receiving ends differ in the batches that they take.
  const queueOf = ({ sending_queue: { batch: _, ...queue } }) => queue;
  for (const [id, { retry_on_failure, ...settings }] of queues) {
    assert.deepEqual(queueOf(settings), queueOf(first), id);
    assert.deepEqual(retry_on_failure, first.retry_on_failure, id);
  }
});

test('every file has a consumer for each signal, and names the release that it was checked with', () => {
  const { version } = parse(fs.readFileSync(path.join(COLLECTOR, 'manifest.yml'), 'utf8')).dist;
  for (const name of [...NAMES, 'base']) {
    assert.match(textOf(name).slice(0, 300), new RegExp(version.replaceAll('.', '\\.')), name);
    if (['base', 'from-kafka'].includes(name)) continue;
    const pipelines = Object.entries(parse(textOf(name)).service.pipelines);
    const taken = pipelines.filter(([, { receivers }]) => receivers.includes('forward')).map(([id]) => typeOf(id));
    assert.deepEqual([...new Set(taken)].sort(), ['logs', 'metrics', 'traces'], name);
  }
});

test('without secrets, start.mjs names each file that is left out and what it lacks', { skip }, async () => {
  const { code, told } = await start(['--print']);
  assert.equal(code, 2, told);
  assert.match(told, /^newrelic: left out: it needs NEW_RELIC_LICENSE_KEY, as a variable or a credential$/m);
  assert.match(told, /^sentry: left out: it needs SENTRY_OTLP_ENDPOINT and SENTRY_PUBLIC_KEY, /m);
  // Prometheus is there, and keeps no event.
  assert.match(told, /no exporter is left that keeps events/);
});

test('a Collector that only counts has to be asked for', { skip }, async () => {
  const { code, out, told } = await start(['--print', 'prometheus']);
  assert.equal(code, 0, told);
  assert.match(told, /^included: base, prometheus$/m);
  assert.equal(out, `${PROGRAM} ${GATES} --config ${fileOf('base')} --config ${fileOf('prometheus')}\n`);
});

test('a file is included when its secrets are variables or credentials', { skip }, async (t) => {
  const files = credentials(t, { new_relic_license_key: 'a', SENTRY_PUBLIC_KEY: 'b' });
  const { SENTRY_OTLP_ENDPOINT } = SECRETS;
  const { told } = await start(['--validate', 'newrelic', 'sentry', 'kafka'], { ...files, SENTRY_OTLP_ENDPOINT });
  assert.match(told, /^kafka: left out: it needs KAFKA_BROKERS/m);
  assert.match(told, /^included: base, newrelic, sentry$/m);
});

test('an exporter that the Collector was built without leaves its file out', { skip }, async () => {
  const { code, told } = await start(['--print'], { AWS_REGION: 'ap-south-1', REZ_ARCHIVE_FILE });
  assert.equal(code, 0, told);
  assert.match(told, /^cloudwatch: left out: this Collector was built without awsemf, awscloudwatchlogs$/m);
});

test('an invalid address leaves its file out', { skip }, async (t) => {
  const of = async (name, value) => {
    const values = { ...SECRETS, [name]: value };
    return (await start(['--print', 'clickhouse', 'file', 'gateway', 'newrelic', 'sentry'], values)).told;
  };
  for (const wrong of ['gateway:4318', 'https://', 'none', 'htps://gateway:4318', 'clickhouse://gateway:9000']) {
    await t.test(wrong, async () => {
      const told = await of('REZ_GATEWAY_ENDPOINT', wrong);
      assert.match(told, /^gateway: left out: REZ_GATEWAY_ENDPOINT is no address such as https:\/\/host:port$/m);
    });
  }
  for (const path of ['/v1/logs', '/v1/metrics/', '/otlp/v1/traces']) {
    await t.test(path, async () => {
      const told = await of('NEW_RELIC_OTLP_ENDPOINT', `https://otlp.nr-data.net${path}`);
      assert.match(
        told,
        /^newrelic: left out: NEW_RELIC_OTLP_ENDPOINT ends in \/v1\/\w+\/?, which the Collector adds/m,
      );
    });
  }
  const told = await of('CLICKHOUSE_ENDPOINT', 'clickhouse://db:9000?secure=true');
  assert.match(told, /^included: base, clickhouse, file, gateway, newrelic, sentry$/m);
  assert.match(await of('CLICKHOUSE_ENDPOINT', 'clickhose://db'), /no address such as clickhouse:\/\/host:port$/m);
});

test('a variable that is empty has its default', { skip }, async () => {
  const { code, told } = await start(['--validate', 'file'], { REZ_ARCHIVE_FILE, REZ_COLLECTOR_MEMORY_MIB: '' });
  assert.equal(code, 0, told);
});

test('a disk with little space is refused before the queues are opened', { skip: skip || noMount() }, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-small-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder]);
  later(t, async () => {
    await run('umount', [folder]);
    fs.rmdirSync(folder);
  });
  // A folder that the Collector would make.
  const STATE_DIRECTORY = path.join(folder, 'state');
  const { code, told } = await start(['file'], { REZ_ARCHIVE_FILE, STATE_DIRECTORY });
  assert.equal(code, 2, told);
  assert.match(told, /rez-small-\w+ has 1[12] MiB free, 256 are needed: .* Make space, then start again$/m);
  assert.deepEqual(fs.readdirSync(folder), []);
});

/** Why no file system can be mounted; false if one can. */
function noMount() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'mounting a small disk needs root on Linux';
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return false;
  } catch {
    return 'no small disk can be mounted here';
  } finally {
    fs.rmdirSync(folder);
  }
}

test('an unknown file, an unknown option, no exporter and no Collector are named', { skip }, async (t) => {
  const cases = [
    [['kafak'], {}, /no kafak in .*config: there are .*kafka/],
    [['--prnt'], {}, /--prnt[\s\S]*usage:/],
    [[], {}, /no exporter is left/],
    [['kafka'], {}, /no exporter is left/],
    [['from-kafka'], SECRETS, /no exporter is left/],
    [['--collector', '/no/such/program'], {}, /\/no\/such\/program cannot be run: there is no such program/],
    [
      [],
      { CREDENTIALS_DIRECTORY: '/no/such/folder' },
      /CREDENTIALS_DIRECTORY \/no\/such\/folder cannot be read: ENOENT/,
    ],
  ];
  for (const [args, variables, why] of cases) {
    await t.test(`${args}`, async () => {
      const { code, told } = await start(args, variables);
      assert.equal(code, 2, told);
      assert.match(told, why);
      assert.doesNotMatch(told, /^ {4}at /m);
    });
  }
});
