import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { vendor } from '../../vendor.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const require = createRequire(import.meta.url);
const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const vendored = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-vendor-'));
const missing = vendor(vendored);
after(() => fs.rmSync(vendored, { recursive: true }));

test('autolinking names the Kotlin package that exists', () => {
  const { android, ios } = require(path.join(root, 'react-native.config.js')).dependency.platforms;
  const name = android.packageImportPath.match(/^import ([\w.]+);$/)[1];
  const file = path.join(android.sourceDir, 'src/main/java', `${name.replaceAll('.', '/')}.kt`);
  assert.match(read(file), new RegExp(`class ${name.split('.').at(-1)} : BaseReactPackage`));
  assert.match(android.packageInstance, new RegExp(`new ${name.split('.').at(-1)}\\(\\)`));
  assert.ok(ios);
});

test('Gradle gets the namespace of the Kotlin package and of the generated class', () => {
  const namespace = read('android/build.gradle').match(/namespace "([\w.]+)"/)[1];
  for (const file of ['RezMonitorModule', 'RezMonitorPackage', 'NativeCalls']) {
    assert.match(
      read(`android/src/main/java/${namespace.replaceAll('.', '/')}/${file}.kt`),
      new RegExp(`^package ${namespace}$`, 'm'),
    );
  }
});

test('Gradle finds the library in the package and in the repository', () => {
  const gradle = read('android/build.gradle');
  const used = [...gradle.matchAll(/new File\(monitor, "([^"]+)"\)/g)].map(([, name]) => name);
  assert.deepEqual(used, ['consumer-rules.pro', 'src/main/AndroidManifest.xml', 'src/main/kotlin', 'src/main/jniLibs']);
  const repository = path.join(root, 'android', gradle.match(/: file\("([^"]+)"\)/)[1]);
  for (const name of used.slice(0, 3)) {
    assert.ok(fs.existsSync(path.join(repository, name)), name);
    assert.ok(fs.existsSync(path.join(vendored, 'android', name)), name);
  }
});

test('the versions of the native libraries are those of the SDK', () => {
  const jna = /net\.java\.dev\.jna:jna:([\d.]+)@aar/;
  assert.equal(read('android/build.gradle').match(jna)[1], read('../android/monitor/build.gradle.kts').match(jna)[1]);
});

test('the podspec takes the sources of the three targets, and only the header of the bridge is public', () => {
  const podspec = read('RezMonitorReactNative.podspec');
  const [, folders] = podspec.match(/source_files = 'ios\/\{([^}]+)\}/);
  assert.deepEqual(folders.split(','), ['Adapter', 'Bridge', 'Impl']);
  assert.match(podspec, /public_header_files = 'ios\/Bridge\/include\/\*\.h'/);
  assert.match(podspec, /private_header_files = 'ios\/Adapter\/include\/\*\.h'/);
  assert.ok(podspec.indexOf('DEFINES_MODULE') < podspec.indexOf('install_modules_dependencies(spec)'));
});

test('Package.swift names folders that exist', () => {
  const paths = [...read('Package.swift').matchAll(/path: "(ios\/\w+)"/g)].map(([, name]) => name);
  assert.deepEqual(paths, ['ios/Adapter', 'ios/Bridge', 'ios/Impl']);
  for (const name of paths) assert.ok(fs.statSync(path.join(root, name)).isDirectory());
});

test('what is vendored has the version of the package and no target of a test', () => {
  const { version } = JSON.parse(read('package.json'));
  for (const name of ['RezMonitor', 'RezMonitorCore']) {
    const podspec = fs.readFileSync(path.join(vendored, 'RezMonitor', `${name}.podspec`), 'utf8');
    assert.ok(podspec.includes(`spec.version = '${version}'`), podspec);
    assert.ok(!podspec.includes('Cargo.toml'));
  }
  const manifest = fs.readFileSync(path.join(vendored, 'RezMonitor/Package.swift'), 'utf8');
  for (const [, folder] of manifest.matchAll(/path: "([^"]+)"/g)) {
    const built = folder.endsWith('.xcframework');
    assert.ok(built || fs.existsSync(path.join(vendored, 'RezMonitor', folder)), folder);
  }
  assert.doesNotMatch(manifest, /testTarget|executableTarget/);
  assert.match(manifest, /\.target\(name: "RezMonitorUI"/);
});

test('the panel of Rozenite has the version of the package, and its page is there', () => {
  const { name, version } = JSON.parse(read('package.json'));
  const panel = JSON.parse(read('dist/rozenite.json'));
  assert.deepEqual([panel.name, panel.version], [name, version]);
  assert.ok(fs.existsSync(path.join(root, 'dist', panel.panels[0].source)));
});

test('what was not built is named', () => {
  for (const name of missing)
    assert.ok(['android/monitor/src/main/jniLibs', 'ios/RezMonitorFFI.xcframework'].includes(name), name);
});

test('the plugin is found through app.plugin.js', () => {
  assert.match(read('app.plugin.js'), /require\('\.\/plugin\/build'\)/);
});
