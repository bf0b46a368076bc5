import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import Module, { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

const root = path.resolve(import.meta.dirname, '../..');
const installed = path.resolve(import.meta.dirname, '../node_modules');
execFileSync(process.execPath, [path.join(installed, 'typescript/bin/tsc'), '-p', path.join(root, 'plugin')]);

// In an app `expo` is beside the package.
process.env.NODE_PATH = installed;
Module._initPaths();
const require = createRequire(import.meta.url);
const { metaData } = require(path.join(root, 'plugin/build/options.js'));
const { withPods } = require(path.join(root, 'plugin/build/podfile.js'));
const { withMetaData } = require(path.join(root, 'plugin/build/manifest.js'));
const { compileModsAsync, withPlugins } = require('expo/config-plugins');

const PODFILE = `target 'Shop' do\n  use_expo_modules!\n  config = use_native_modules!(config_command)\n\n  use_react_native!(\n  )\nend\n`;

/** What prebuild would write, without native folders. */
async function introspected(options) {
  const projectRoot = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-plugin-'));
  fs.writeFileSync(path.join(projectRoot, 'package.json'), '{"name": "shop"}');
  const config = { name: 'Shop', slug: 'shop', android: { package: 'app.rez.shop' }, _internal: { projectRoot } };
  const plugin = require(path.join(root, 'app.plugin.js'));
  const applied = withPlugins(config, [[plugin.default ?? plugin, options]]);
  const result = await compileModsAsync(applied, { projectRoot, introspect: true, platforms: ['android'] });
  fs.rmSync(projectRoot, { recursive: true });
  const application = result._internal.modResults.android.manifest.manifest.application[0];
  return Object.fromEntries((application['meta-data'] ?? []).map(({ $ }) => [$['android:name'], $['android:value']]));
}

test('an app config without options changes nothing in the manifest', async () => {
  assert.deepEqual(await introspected(undefined), {});
  assert.deepEqual(await introspected({ autoStart: false, settings: { environment: 'staging' } }), {});
});

test('autoStart and its settings are meta-data under the names that Android reads', async () => {
  const settings = {
    consentMonitoring: 'granted',
    hangMs: 3000,
    hangs: false,
    traceTargets: ['a.example', 'b.example'],
  };
  assert.deepEqual(await introspected({ autoStart: true, settings }), {
    'app.rez.monitor.auto_start': 'true',
    'app.rez.monitor.consent_monitoring': 'granted',
    'app.rez.monitor.hang_ms': '3000',
    'app.rez.monitor.hangs': 'false',
    'app.rez.monitor.trace_targets': 'a.example,b.example',
  });
});

test('every setting of the plugin is one that the Android library reads, and every other one of it names a destination', () => {
  const source = path.resolve(root, '../android/monitor/src/main/kotlin/app/rez/monitor/android/ManifestSettings.kt');
  const read = [
    ...fs.readFileSync(source, 'utf8').matchAll(/(?:text|flag|number|millis|consent|list)\("([a-z_]+)"\)/g),
  ].map(([, name]) => name);
  const isKey = (name) => /^(sentry|rez|datadog|mixpanel|ga4|otlp)_/.test(name);
  for (const name of read.filter((one) => one !== 'auto_start' && !isKey(one))) {
    const camel = name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
    assert.equal(metaData({ autoStart: true, settings: { [camel]: 'x' } })[`app.rez.monitor.${name}`], 'x', name);
  }
});

test('a key of a destination is refused before anything is written', async () => {
  for (const name of [
    'sentryDsn',
    'sentry_dsn',
    'rezKey',
    'datadogClientToken',
    'mixpanelToken',
    'ga4ApiSecret',
    'destinations',
    'folder',
  ]) {
    await assert.rejects(introspected({ autoStart: true, settings: { [name]: 'S3CRET' } }), (error) => {
      assert.match(error.message, new RegExp(`settings.${name}. cannot be set here`));
      assert.doesNotMatch(error.message, /S3CRET/);
      return true;
    });
  }
});

test('a wrong option is one sentence with its name', () => {
  const options = [
    { autostart: true },
    { autoStart: 'yes' },
    { autoStart: true, settings: { hangMs: Number.NaN } },
    { autoStart: true, settings: { traceTargets: ['a,b'] } },
  ];
  for (const [at, name] of ['autostart', 'autoStart', 'hangMs', 'traceTargets'].entries()) {
    assert.throws(() => metaData(options[at]), new RegExp(`@rez/monitor: plugin: .*${name}`));
  }
});

test('meta-data is replaced by the next prebuild, and that of others stays', () => {
  const other = { $: { 'android:name': 'com.example.key', 'android:value': '1' } };
  const byHand = { $: { 'android:name': 'app.rez.monitor.sentry_dsn', 'android:value': 'x' } };
  const manifest = {
    manifest: { application: [{ $: { 'android:name': '.MainApplication' }, 'meta-data': [other, byHand] }] },
  };
  const names = () => manifest.manifest.application[0]['meta-data'].map(({ $ }) => $['android:name']);
  withMetaData(manifest, metaData({ autoStart: true, settings: { dist: '5' } }));
  withMetaData(manifest, metaData({ autoStart: true, settings: { dist: '6' } }));
  assert.deepEqual(names(), [
    'com.example.key',
    'app.rez.monitor.sentry_dsn',
    'app.rez.monitor.auto_start',
    'app.rez.monitor.dist',
  ]);
  withMetaData(manifest, {});
  assert.deepEqual(names(), ['com.example.key', 'app.rez.monitor.sentry_dsn']);
});

test('the pods are added once, after use_native_modules!, and those of an earlier version are replaced', () => {
  const once = withPods(PODFILE);
  assert.equal(withPods(once), once);
  const old = once.replace("pod 'RezMonitor',", "pod 'Old',");
  assert.equal(withPods(old), once);
  const lines = once.split('\n');
  assert.match(lines[lines.findIndex((line) => line.includes('use_native_modules!')) + 1], /@rez\/monitor begin/);
  assert.equal(once.match(/^ {2}pod /gm).length, 2);
});

test('a Podfile without use_native_modules! is answered by the lines to add', () => {
  assert.throws(() => withPods('platform :ios\n'), /add these lines by hand:[\s\S]*pod 'RezMonitor'/);
});

test('the Podfile of the template of Expo takes the pods', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-template-'));
  execFileSync('tar', ['xzf', path.join(installed, 'expo/template.tgz'), '-C', folder]);
  const podfile = fs.readFileSync(path.join(folder, 'package/ios/Podfile'), 'utf8');
  assert.match(withPods(podfile), /use_native_modules!.*\n {2}# @rez\/monitor begin/);
  fs.rmSync(folder, { recursive: true });
});
