/** The settings file, checked field by field, and the secrets that it names. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EXIT, Failure } from './failure.mjs';
import { OBJECTIVES, SERVICE } from './objectives.mjs';

const DEFAULTS = {
  stateFolder: '/var/lib/rez-backup',
  textfileFolder: '/var/lib/node_exporter/textfile',
  secretsFolder: '/etc/rez-backup/secrets',
  retention: { daily: 7, weekly: 4, monthly: 12, yearly: 5 },
  checkSubset: '10%',
  retrySeconds: 900,
  healthSeconds: 60,
  next: [],
};

/** The fields of each part: a field that is not here is a spelling mistake. */
const FIELDS = {
  settings: ['host', 'repositories', 'sources', 'objectives', 'drill', 'health', ...Object.keys(DEFAULTS)],
  retention: Object.keys(DEFAULTS.retention),
  repository: ['name', 'url', 'region', 'password', 'accessKey', 'secretKey'],
  drill: ['folder', 'mongodbUri'],
  objective: ['title', 'rto', 'rpo'],
  files: ['name', 'kind', 'service', 'paths', 'exclude'],
  redis: ['name', 'kind', 'service', 'host', 'port', 'password', 'dumpFile', 'stop', 'start'],
  mongodb: ['name', 'kind', 'service', 'uri', 'oplog'],
};

/** What the tag of a snapshot that lacks files ends with. */
export const INCOMPLETE = '-incomplete';

/** Not the tag that all snapshots have, and not one of a snapshot that lacks files. */
const NAME = /^(?!rez-backup$)(?!.*-incomplete$)[a-z0-9][a-z0-9_-]*$/;

/** True if one folder is the other, or is in it. */
const isInside = (file, folder) => file === folder || file.startsWith(folder === '/' ? '/' : `${folder}/`);

/** What restic's `--read-data-subset` takes. */
const SUBSET = /^(\d+(\.\d+)?%|\d+\/\d+|\d+[KMGT]?)$/;

/** Reads and checks a settings file. */
export function load(file) {
  let text;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`cannot read the settings: ${error.message}; name the file with --settings`, {
      code: EXIT.usage,
    });
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure(`${file}: ${error.message}`, { code: EXIT.usage });
  }
  return check(value, file);
}

/** Checks the value of a settings file, and fills in what it leaves out. */
export function check(value, file) {
  const wrong = (field, what) => {
    throw new Failure(`${file}: ${field}: ${what}`, { code: EXIT.usage });
  };
  const fields = (part, kind, at) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) wrong(at || 'the file', 'must be an object');
    for (const name of Object.keys(part)) {
      if (!FIELDS[kind].includes(name)) {
        wrong(at ? `${at}.${name}` : name, `unknown field; known: ${FIELDS[kind].join(', ')}`);
      }
    }
  };
  const text = (part, name, at) => {
    if (typeof part[name] !== 'string' || part[name] === '') wrong(`${at}${name}`, 'must be a text');
  };
  const absolute = (value, at) => {
    if (typeof value !== 'string' || !path.isAbsolute(value)) wrong(at, 'must be an absolute path');
    if (path.normalize(value) !== value || (value.length > 1 && value.endsWith('/'))) {
      wrong(at, `must be a plain path without "..", "//" or a "/" at its end, and is ${value}`);
    }
  };
  const list = (value, at) => {
    if (!Array.isArray(value) || value.length === 0) wrong(at, 'must be a list with at least one entry');
    return value;
  };
  const texts = (value, at) => {
    if (!list(value, at).every((it) => typeof it === 'string' && it !== '')) wrong(at, 'must be a list of texts');
  };
  // A program and its arguments, which may be empty.
  const command = (value, at) => {
    if (!list(value, at).every((it, index) => typeof it === 'string' && (index > 0 || it !== ''))) {
      wrong(at, 'must be a program and its arguments, as a list of texts');
    }
  };

  fields(value, 'settings', '');
  const settings = { host: os.hostname(), ...DEFAULTS, ...value, file };
  text(settings, 'host', '');
  if (!SUBSET.test(settings.checkSubset)) wrong('checkSubset', 'must be like 10%, 1/10 or 5G');
  for (const name of ['stateFolder', 'textfileFolder', 'secretsFolder']) absolute(settings[name], name);
  fields(settings.retention, 'retention', 'retention');
  settings.retention = { ...DEFAULTS.retention, ...settings.retention };
  for (const [name, keep] of Object.entries(settings.retention)) {
    if (!Number.isInteger(keep) || keep < 0) wrong(`retention.${name}`, 'must be a whole number, 0 or more');
  }
  if (Object.values(settings.retention).every((keep) => keep === 0)) wrong('retention', 'would keep nothing');
  for (const name of ['retrySeconds', 'healthSeconds']) {
    if (!(settings[name] > 0)) wrong(name, 'must be a number above 0');
  }
  if (!Array.isArray(settings.next)) wrong('next', 'must be a list of texts');
  if (settings.next.length > 0) texts(settings.next, 'next');
  if (settings.health !== undefined && !URL.canParse(settings.health)) wrong('health', 'must be a URL');

  const unique = (parts, at) => {
    parts.forEach(({ name }, index) => {
      if (!NAME.test(name ?? ''))
        wrong(
          `${at}[${index}].name`,
          'must be of a-z, 0-9, "-" and "_", not rez-backup, and without -incomplete at its end',
        );
      if (parts.findIndex((it) => it.name === name) !== index) wrong(`${at}[${index}].name`, `${name} is there twice`);
    });
  };
  list(settings.repositories, 'repositories').forEach((repository, index) => {
    const at = `repositories[${index}]`;
    fields(repository, 'repository', at);
    text(repository, 'url', `${at}.`);
    text(repository, 'password', `${at}.`);
    if (/^s3:https?:\/\/[^/]*@/.test(repository.url))
      wrong(`${at}.url`, 'must not contain a key: name it in accessKey');
    if (repository.url.startsWith('s3:')) {
      if (!/^s3:https?:\/\/[^/]+\/[^/]{3,}/.test(repository.url)) {
        wrong(`${at}.url`, `must be s3:https://HOST/BUCKET/FOLDER, and is ${repository.url}`);
      }
      text(repository, 'accessKey', `${at}.`);
      text(repository, 'secretKey', `${at}.`);
    }
  });
  unique(settings.repositories, 'repositories');

  settings.sources = list(settings.sources, 'sources').map((source, index) => {
    const at = `sources[${index}]`;
    if (!Object.hasOwn(SERVICE, source?.kind)) wrong(`${at}.kind`, `must be one of ${Object.keys(SERVICE).join(', ')}`);
    fields(source, source.kind, at);
    if (source.kind === 'files') {
      list(source.paths, `${at}.paths`).forEach((it, path) => {
        absolute(it, `${at}.paths[${path}]`);
      });
      const inside = source.paths.find((a) => source.paths.some((b) => a !== b && a.startsWith(`${b}/`)));
      if (inside) wrong(`${at}.paths`, `${inside} is inside another of them`);
      if (source.exclude !== undefined) {
        texts(source.exclude, `${at}.exclude`);
        const other = source.exclude.find((it) => /[/\\?[\]]|\*\*/.test(it));
        if (other) wrong(`${at}.exclude`, `${other}: must be names of files or folders, in which * is any text`);
      }
    }
    if (source.kind === 'redis') {
      absolute(source.dumpFile, `${at}.dumpFile`);
      for (const name of ['stop', 'start']) {
        if (source[name] !== undefined) command(source[name], `${at}.${name}`);
      }
    }
    if (source.kind === 'mongodb') text(source, 'uri', `${at}.`);
    return { service: SERVICE[source.kind], ...source };
  });
  unique(settings.sources, 'sources');

  settings.objectives = { ...OBJECTIVES };
  for (const [name, objective] of Object.entries(value.objectives ?? {})) {
    fields(objective, 'objective', `objectives.${name}`);
    settings.objectives[name] = { title: name, ...OBJECTIVES[name], ...objective };
    for (const key of ['rto', 'rpo']) {
      if (!(settings.objectives[name][key] >= 0)) wrong(`objectives.${name}.${key}`, 'must be a number of seconds');
    }
  }
  settings.sources.forEach(({ service }, index) => {
    if (!Object.hasOwn(settings.objectives, service))
      wrong(`sources[${index}].service`, `${service} has no entry in objectives`);
  });
  settings.drill = { folder: path.join(settings.stateFolder, 'drill'), ...value.drill };
  fields(settings.drill, 'drill', 'drill');
  absolute(settings.drill.folder, 'drill.folder');
  for (const { name, paths, dumpFile } of settings.sources) {
    const near = (paths ?? [dumpFile]).find(
      (it) => it && (isInside(it, settings.drill.folder) || isInside(settings.drill.folder, it)),
    );
    if (near) wrong('drill.folder', `must be apart from ${near} of source ${name}, and is ${settings.drill.folder}`);
  }
  return settings;
}

/** Returns the value of a secret: a file that systemd has loaded, or one in the folder of the secrets. */
export function secret(settings, name, of) {
  const folders = [process.env.CREDENTIALS_DIRECTORY, settings.secretsFolder].filter(Boolean);
  for (const folder of folders) {
    const file = path.join(folder, name);
    let text;
    try {
      text = fs.readFileSync(file, 'utf8').trim();
    } catch (error) {
      if (error.code === 'ENOENT') continue;
      throw new Failure(`the secret ${name} of ${of}: ${error.message}`);
    }
    if (text) return text;
    throw new Failure(`the secret ${name} of ${of} is empty: ${file}`);
  }
  const places = folders.map((folder) => path.join(folder, name)).join(' or ');
  throw new Failure(`the secret ${name} of ${of} is missing: write it to ${places}`);
}
