/** The bundles of Metro, as a release has them: bytecode of Hermes for the phones, JavaScript for the web. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { expo, shop } from './shop.mjs';

const HERMES = Buffer.from('c61fbc03c103191f', 'hex');
const PACKAGE = '/node_modules/@rez/monitor/';
const platforms = ['android', 'ios', 'web'];

before(() => {
  const named = platforms.flatMap((platform) => ['--platform', platform]);
  expo('export', '--source-maps', '--output-dir', 'dist', ...named);
});

/** The bundle, and the files of the package in it. */
function bundle(platform) {
  const folder = path.join(shop, 'dist/_expo/static/js', platform);
  const [name] = fs.readdirSync(folder).filter((file) => /\.(hbc|js)$/.test(file));
  const { sources } = JSON.parse(fs.readFileSync(path.join(folder, `${name}.map`), 'utf8'));
  const ours = sources
    .filter((file) => file.includes(PACKAGE))
    .map((file) => file.slice(file.indexOf(PACKAGE) + PACKAGE.length));
  return { content: fs.readFileSync(path.join(folder, name)), ours, sources };
}

for (const platform of platforms) {
  test(`the bundle for ${platform} has the package once`, () => {
    const { content, ours } = bundle(platform);
    assert.ok(ours.includes('lib/module/index.js'));
    assert.ok(ours.includes('lib/module/sentry/index.js'));
    assert.equal(new Set(ours).size, ours.length);
    const others = ours.filter((file) => !file.startsWith('lib/module/'));
    assert.deepEqual(others, [], 'the CommonJS build, or the sources');
    const web = ours.filter((file) => file.includes('specs/'));
    assert.deepEqual(web, [`lib/module/specs/NativeRezMonitor${platform === 'web' ? '.web' : ''}.js`]);
    if (platform !== 'web') assert.deepEqual(content.subarray(0, HERMES.length), HERMES);
  });
}

test('an entry that the app does not import is not in its bundle', () => {
  const { ours } = bundle('android');
  for (const entry of ['datadog', 'firebase-analytics', 'mixpanel', 'guide'])
    assert.deepEqual(
      ours.filter((file) => file.split('/')[2] === entry),
      [],
      entry,
    );
});

test('a release has nothing of the developer tools that the app calls in a debug build', () => {
  for (const platform of platforms) {
    const { ours, sources } = bundle(platform);
    for (const entry of ['devtools', 'rozenite']) assert.ok(ours.includes(`lib/module/${entry}/index.js`), entry);
    const tools = sources.filter((file) =>
      /\/node_modules\/(@expo\/devtools|@rozenite)\/|\/expo\/devtools\./.test(file),
    );
    assert.deepEqual(tools, [], platform);
  }
});
