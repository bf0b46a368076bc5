import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { endpointOf } from '../src/guide/newrelic';
import { readNewRelicConfig } from '../src/guide/newrelic-config';
import { requestView } from '../src/http/request-view';
import { captureException, close, flush, init, initNewRelic } from '../src/index';
import { forget, type Line, logged } from './app';
import { run } from './child';
import { newFolder } from './engine';
import { standIn } from './stand-in';

let lines: Line[] = [];

beforeEach(() => {
  lines = logged();
  forget('request-privacy');
});

afterEach(() => close(2_000));

/** The file of the guide. */
const GUIDE = `'use strict';

exports.config = {
  app_name: ['REZ API'],
  license_key: process.env.NEW_RELIC_LICENSE_KEY,
  logging: {
    level: 'info'
  },
  allow_all_headers: true,
  attributes: {
    exclude: [
      'request.headers.cookie',
      'request.headers.authorization',
      'request.headers.proxyAuthorization',
      'request.headers.setCookie*',
      'request.headers.x*',
      'response.headers.cookie',
      'response.headers.authorization',
      'response.headers.proxyAuthorization',
      'response.headers.setCookie*',
      'response.headers.x*'
    ]
  }
};
`;

/** Writes a file that no test has loaded before. */
function written(text: string, name = 'newrelic.js'): string {
  const file = join(newFolder(), name);
  writeFileSync(file, text);
  return file;
}

const said = () => lines.map(({ message }) => message).join('\n');

test('the file of the guide is read as it is', () => {
  expect(readNewRelicConfig(written(GUIDE), { NEW_RELIC_LICENSE_KEY: 'abc' })).toEqual({
    app: 'REZ API',
    licenseKey: 'abc',
    enabled: true,
    allowAllHeaders: true,
    exclude: expect.arrayContaining(['request.headers.x*']),
  });
});

test('data goes to New Relic over OTLP with the key, and the name of the app is that of the file', async () => {
  const intake = await standIn(200, 'application/x-protobuf', '');
  const file = written(GUIDE.replace('process.env.NEW_RELIC_LICENSE_KEY', "'l1cence'"));
  process.env.REZ_FOLDER = newFolder();
  expect(initNewRelic(file, { endpoint: intake.url })).toBe(true);
  delete process.env.REZ_FOLDER;
  captureException(new Error('no stock'));
  await flush(20_000);
  expect(intake.received.map(({ path, headers }) => [path, headers['api-key']])).toEqual([['/v1/logs', 'l1cence']]);
  expect(intake.received[0]?.body).toContain('REZ API');
});

test('its rules decide which headers an error tells, and credentials are never among them', () => {
  init({ folder: newFolder() });
  const headers = {
    accept: '*/*',
    authorization: 'Bearer s',
    'proxy-authorization': 's',
    cookie: 's',
    'set-cookie': ['s'],
    'x-forwarded-for': '203.0.113.7',
    'if-match': '"7"',
    'user-agent': 'rez/1',
  };
  initNewRelic(written(GUIDE));
  expect(requestView({ headers }).headers).toEqual({ accept: '*/*', 'if-match': '"7"', 'user-agent': 'rez/1' });
  initNewRelic(
    written(GUIDE.replace("'request.headers.cookie'", "'request.headers.if-m*', 'request.headers.userAgent'")),
  );
  expect(requestView({ headers })).toEqual({ headers: { accept: '*/*' } });
});

test('the file is found in NEW_RELIC_HOME, else in the working directory', async () => {
  const home = newFolder();
  const cwd = newFolder();
  mkdirSync(join(cwd, 'sub'));
  writeFileSync(join(home, 'newrelic.cjs'), GUIDE.replace('REZ API', 'Home'));
  writeFileSync(join(cwd, 'newrelic.js'), GUIDE.replace('REZ API', 'Here'));
  const script = 'rez.initNewRelic(); console.log(rez.status().status.start.version); await rez.close(2_000);';
  const environment = { REZ_FOLDER: newFolder(), NEW_RELIC_LICENSE_KEY: '' };
  expect((await run(script, { ...environment, NEW_RELIC_HOME: home }, cwd)).stdout).toBe('Home@0.0.0\n');
  expect((await run(script, environment, cwd)).stdout).toBe('Here@0.0.0\n');
});

test('keys of the European region go to its address', () => {
  expect(endpointOf('eu01xx0123456789')).toBe('https://otlp.eu01.nr-data.net');
  expect(endpointOf('0123456789abcdef')).toBe('https://otlp.nr-data.net');
});

test.each([
  ['throws', 'throw new Error("broken");', /cannot be loaded \(Error: broken\)/],
  ['cannot be read', 'exports.config = {', /cannot be loaded \(SyntaxError/],
  ['exports nothing', '', /does not export `config`/],
  ['has no licence key', "exports.config = { app_name: 'a' };", /there is no licence key: set NEW_RELIC_LICENSE_KEY/],
  ['is disabled', "exports.config = { agent_enabled: false, license_key: 'k' };", /is disabled/],
  [
    'throws when it is read',
    'exports.config = { get license_key() { throw 1; }, get attributes() { throw 1; }, app_name: [{}] };',
    /there is no licence key/,
  ],
])('a configuration that %s is one sentence', (_what, text, sentence) => {
  init({ folder: newFolder() });
  const file = written(text);
  expect([initNewRelic(file), initNewRelic(file)]).toEqual([false, false]);
  expect(said()).toMatch(sentence);
  expect(lines.filter(({ message }) => message.includes('initNewRelic'))).toHaveLength(1);
});

test('a file that is missing is one sentence', () => {
  init({ folder: newFolder() });
  expect(initNewRelic('/nowhere/newrelic.js')).toBe(false);
  expect(initNewRelic()).toBe(false);
  expect(initNewRelic(7 as never, null as never)).toBe(false);
  expect(said()).toMatch(/\/nowhere\/newrelic\.js cannot be loaded/);
  expect(said()).toMatch(/there is no newrelic\.js in NEW_RELIC_HOME or the working directory/);
});

test('a key that cannot stand in a header is a sentence without the key', () => {
  init({ folder: newFolder() });
  expect(initNewRelic(written("exports.config = { license_key: 'SEC\\r\\nRET' };"))).toBe(false);
  expect(said()).toMatch(/destination newrelic: /);
  expect(said()).not.toContain('RET');
});
