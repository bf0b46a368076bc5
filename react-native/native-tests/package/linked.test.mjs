/** What the scripts of React Native make of the packed package. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { runs } from '../work.mjs';
import { appOf, tools } from './tools.mjs';
import { registered, swiftPackage } from './versions.mjs';

/** Scripts of React Native run with packages of their own beside them. */
function answer(reactNative, script) {
  const env = { ...process.env, NODE_PATH: path.join(tools, 'node_modules') };
  const monitor = path.join(appOf(reactNative), 'node_modules/@rez/monitor');
  const program = `const monitor = ${JSON.stringify(monitor)}, app = ${JSON.stringify(appOf(reactNative))};\n${script}`;
  return runs([process.execPath, '--eval', program], { cwd: appOf(reactNative), env });
}

for (const { reactNative } of registered) {
  test(`the generator of React Native ${reactNative} registers the module on iOS`, () => {
    answer(
      reactNative,
      `const executor = app + '/node_modules/react-native/scripts/codegen/generate-artifacts-executor';
      const { generateRCTModuleProviders } = require(executor + '/generateRCTModuleProviders.js');
      const { codegenConfig } = require('@rez/monitor/package.json');
      generateRCTModuleProviders(app, {}, [{ config: codegenConfig, libraryPath: monitor }], app + '/providers');`,
    );
    const file = path.join(appOf(reactNative), 'providers/RCTModuleProviders.mm');
    assert.match(fs.readFileSync(file, 'utf8'), /@"RezMonitor": @"RezMonitor", \/\/ @rez\/monitor/);
  });
}

test(`the SwiftPM mode of React Native ${swiftPackage} uses the Package.swift of the package, under its own name`, () => {
  const printed = answer(
    swiftPackage,
    `const { scaffoldPackageSwiftForDep } = require(app + '/node_modules/react-native/scripts/spm/scaffold-package-swift.js');
    const { readSwiftpmConfig } = require(app + '/node_modules/react-native/scripts/spm/swiftpm-config.js');
    const ios = { podspecPath: monitor + '/RezMonitorReactNative.podspec' };
    const dependency = { name: '@rez/monitor', root: monitor, platforms: { ios } };
    const context = { appRoot: app, projectRoot: app, force: true, dryRun: false, cacheSlotLabel: null };
    const { status } = scaffoldPackageSwiftForDep(dependency, context);
    console.log(JSON.stringify({ status, name: readSwiftpmConfig(monitor, () => null).name }));`,
  );
  assert.deepEqual(JSON.parse(printed.trim().split('\n').at(-1)), {
    status: 'skipped-self-managed',
    name: 'RezMonitorReactNative',
  });
  const manifest = fs.readFileSync(path.join(appOf(swiftPackage), 'node_modules/@rez/monitor/Package.swift'), 'utf8');
  assert.match(manifest, /\.library\(name: "RezMonitorReactNative"/);
});
