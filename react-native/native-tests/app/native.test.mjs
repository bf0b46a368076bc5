/** The native folders of an Expo app, and what the builds on them would take from the package. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { before, test } from 'node:test';
import { expo, monitor, read, shop, tool } from './shop.mjs';

const { codegenConfig, version } = JSON.parse(read('node_modules/@rez/monitor/package.json'));
const golden = path.join(import.meta.dirname, '../codegen/golden');

// It ends with 0 also after a failure: only the files say what was done.
before(() => expo('prebuild', '--no-install', '--clean'));

test('the manifest of Android has the settings of the plugin, and no key of a destination', () => {
  const manifest = read('android/app/src/main/AndroidManifest.xml');
  const entries = [...manifest.matchAll(/<meta-data android:name="app\.rez\.monitor\.(\w+)" android:value="([^"]*)"/g)];
  assert.deepEqual(
    entries.map(([, name, value]) => [name, value]),
    [
      ['auto_start', 'true'],
      ['consent_monitoring', 'granted'],
      ['hang_ms', '3000'],
      ['trace_targets', 'api.shop.example'],
    ],
  );
});

test('the Podfile has the pods that autolinking does not find, and they are in the package', () => {
  const podfile = read('ios/Podfile');
  const [, folder] = podfile.match(/'@rez\/monitor\/package\.json'\)"`\), '([^']+)'\)/);
  const pods = [...podfile.matchAll(/pod '(\w+)', :path => rez_monitor/g)].map(([, name]) => name);
  assert.deepEqual(pods, ['RezMonitorCore', 'RezMonitor']);
  for (const name of pods) assert.ok(fs.existsSync(path.join(monitor, folder, `${name}.podspec`)), name);
  assert.ok(podfile.indexOf('use_native_modules!') < podfile.indexOf("pod 'RezMonitorCore'"));
});

test('the plugin changes neither Info.plist nor Gradle: autolinking does what is needed', () => {
  for (const file of [
    'ios/Shop/Info.plist',
    'android/build.gradle',
    'android/app/build.gradle',
    'android/settings.gradle',
  ])
    assert.doesNotMatch(read(file), /rez[./-]?monitor/i, file);
});

test('a second prebuild writes the same files', () => {
  const files = ['ios/Podfile', 'android/app/src/main/AndroidManifest.xml'];
  const first = files.map((file) => read(file));
  expo('prebuild', '--no-install');
  assert.deepEqual(
    files.map((file) => read(file)),
    first,
  );
});

/** What autolinking says about the package, with paths from its folder. */
function linked(config) {
  const { platforms } = config.dependencies['@rez/monitor'] ?? assert.fail('autolinking does not find the package');
  const relative = (value) =>
    typeof value === 'string' && value.startsWith(monitor) ? path.relative(monitor, value) : value;
  const of = (platform) => Object.fromEntries(Object.entries(platform).map(([key, value]) => [key, relative(value)]));
  return Object.fromEntries(Object.entries(platforms).map(([name, platform]) => [name, of(platform)]));
}

const ANDROID = {
  sourceDir: 'android',
  packageImportPath: 'import app.rez.monitor.reactnative.RezMonitorPackage;',
  packageInstance: 'new RezMonitorPackage()',
  libraryName: 'RezMonitorSpec',
  cmakeListsPath: 'android/build/generated/source/codegen/jni/CMakeLists.txt',
};
const IOS = { podspecPath: 'RezMonitorReactNative.podspec', version };

test('the autolinking of Expo finds the package on both platforms', () => {
  const config = (platform) =>
    linked(JSON.parse(tool('expo/bin/autolinking', 'react-native-config', '--json', '--platform', platform)));
  const [{ android }, { ios }] = [config('android'), config('ios')];
  for (const [key, value] of Object.entries(ANDROID)) assert.equal(android[key], value, key);
  for (const [key, value] of Object.entries(IOS)) assert.equal(ios[key], value, key);
});

test('the autolinking of React Native answers the same', () => {
  const { android, ios } = linked(JSON.parse(tool('@react-native-community/cli/build/bin.js', 'config')));
  for (const [key, value] of Object.entries(ANDROID)) assert.equal(android[key], value, key);
  for (const [key, value] of Object.entries(IOS)) assert.equal(ios[key], value, key);
});

test('the app registers the module on iOS', () => {
  tool('react-native/scripts/generate-codegen-artifacts.js', '-p', '.', '-t', 'ios', '-o', 'ios', '-s', 'app');
  const generated = 'ios/build/generated/ios/ReactCodegen';
  assert.match(read(generated, 'RCTModuleProviders.mm'), /@"RezMonitor": @"RezMonitor", \/\/ @rez\/monitor/);
  const [protocol] = read(generated, 'RezMonitorSpec/RezMonitorSpec.h').match(
    /@protocol NativeRezMonitorSpec [\s\S]*?@end\n/,
  );
  assert.equal(protocol, fs.readFileSync(path.join(golden, 'NativeRezMonitorSpec.h'), 'utf8'));
});

test('the app generates the Java class that the Kotlin module extends', () => {
  const { name, type, jsSrcsDir, android } = codegenConfig;
  const schema = path.join(shop, '.cache/schema.json');
  const out = path.join(shop, '.cache/codegen');
  fs.rmSync(out, { recursive: true, force: true });
  // The two steps of React Native's Gradle plugin.
  tool('@react-native/codegen/lib/cli/combine/combine-js-to-schema-cli.js', schema, path.join(monitor, jsSrcsDir));
  const options = { platform: 'android', schemaPath: schema, outputDir: out, libraryName: name, libraryType: type };
  const flags = Object.entries({ ...options, javaPackageName: android.javaPackageName });
  tool('react-native/scripts/generate-specs-cli.js', ...flags.flatMap(([flag, value]) => [`--${flag}`, value]));
  const file = path.join('java', ...android.javaPackageName.split('.'), 'NativeRezMonitorSpec.java');
  assert.equal(fs.readFileSync(path.join(out, file), 'utf8'), fs.readFileSync(path.join(golden, file), 'utf8'));
  assert.ok(fs.existsSync(path.join(out, 'jni/CMakeLists.txt')));
});
