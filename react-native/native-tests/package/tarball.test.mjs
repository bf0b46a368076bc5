/** The file that npm publishes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packed } from '../pack.mjs';
import { runs } from '../work.mjs';
import { appOf, tools } from './tools.mjs';
import { versions } from './versions.mjs';

const { file, files, size, unpackedSize } = packed();
const paths = files.map((one) => one.path);
const root = path.join(appOf(versions[0].reactNative), 'node_modules/@rez/monitor');
const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
const tool = (name, ...command) =>
  runs([process.execPath, path.join(tools, 'node_modules', name), ...command], { cwd: tools });

/** Every path that a part of package.json names. */
function named(value) {
  if (typeof value === 'string') return value.startsWith('./') ? [value.slice(2)] : [];
  return Object.values(value ?? {}).flatMap(named);
}

test('every file that package.json names is packed', () => {
  const { exports, main, module, types } = manifest;
  for (const name of named({ exports, main, module, types })) assert.ok(paths.includes(name), name);
  for (const name of ['react-native.config.js', 'RezMonitorReactNative.podspec', 'Package.swift'])
    assert.ok(paths.includes(name), name);
});

test('the licences that package.json names are packed', () => {
  assert.equal(manifest.license, 'MIT OR Apache-2.0');
  for (const name of ['MIT', 'APACHE']) assert.ok(paths.includes(`vendor/LICENSE-${name}`), name);
});

test('the config plugin is packed with what it loads', () => {
  const loaded = (name) => {
    const text = fs.readFileSync(path.join(root, name), 'utf8');
    const required = [...text.matchAll(/require\(['"](\.[^'"]+)['"]\)/g)].map(([, one]) =>
      path.join(path.dirname(name), one),
    );
    return [
      name,
      ...required.flatMap((one) =>
        loaded(fs.existsSync(path.join(root, `${one}.js`)) ? `${one}.js` : `${one}/index.js`),
      ),
    ];
  };
  const all = loaded('app.plugin.js');
  assert.ok(all.includes('plugin/build/podfile.js'), all.join());
  for (const name of all) assert.ok(paths.includes(name), name);
});

test('no test, no code for tests and no schema of a vendor is packed', () => {
  const folders = /(^|\/)(__tests__|__mocks__|tests?|testing|engine-tests|native-tests|bench|example|node_modules)\//i;
  const files = /\.test\.|\.schema\.json$|\.tgz$|\.tsbuildinfo$/i;
  assert.deepEqual(
    paths.filter((name) => folders.test(name) || files.test(name)),
    [],
  );
});

test('no map of JavaScript is packed: Metro does not read it', () => {
  assert.deepEqual(
    paths.filter((name) => name.endsWith('.js.map')),
    [],
  );
});

test('the package is small, and installs nothing and runs nothing when it is installed', () => {
  // The native libraries come on top. A limit that is reached is raised in the change that needs it.
  const isNative = ({ path: name }) => /^vendor\/.*(jniLibs|xcframework)\//.test(name);
  const natives = files.filter(isNative).reduce((sum, one) => sum + one.size, 0);
  if (natives === 0) assert.ok(size <= 640 * 1024, `${size} bytes`);
  assert.ok(unpackedSize - natives <= 3 * 1024 * 1024, `${unpackedSize - natives} bytes unpacked`);
  assert.equal(manifest.dependencies, undefined);
  for (const script of ['preinstall', 'install', 'postinstall'])
    assert.equal(manifest.scripts[script], undefined, script);
  // The mock puts its engine below the package. That no other entry changes anything, `app/shop/tests` shows.
  assert.deepEqual(manifest.sideEffects, ['./jest/index.js']);
});

test('publint finds nothing', () => {
  assert.match(tool('publint/src/cli.js', file, '--strict'), /All good!/);
});

test('the types of every entry are found by each way in which TypeScript resolves', () => {
  const options = ['--profile', 'node16', '--exclude-entrypoints', './app.plugin.js', '--format', 'json'];
  const cli = path.join(tools, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  // Into a file: it exits before a pipe has taken all of it.
  const report = path.join(tools, 'attw.json');
  const out = fs.openSync(report, 'w');
  runs([process.execPath, cli, file, ...options], { cwd: tools, statuses: [0, 1], stdio: ['ignore', out, 'pipe'] });
  fs.closeSync(out);
  const { analysis } = JSON.parse(fs.readFileSync(report, 'utf8'));
  const entries = Object.values(analysis.entrypoints).filter(({ subpath }) => !/\.js(on)?$/.test(subpath));
  assert.ok(entries.length >= 6);
  for (const { subpath, resolutions } of entries) {
    for (const kind of ['node16-cjs', 'node16-esm', 'bundler'])
      assert.ok(resolutions[kind].resolution?.isTypeScript, `${subpath} ${kind}`);
  }
  const isExpected = ({ kind, resolutionKind, entrypoint, implementationFileName = '' }) =>
    // It reads no `exports`, so it finds the main entry only. TypeScript calls it obsolete.
    (kind === 'NoResolution' && resolutionKind === 'node10' && entrypoint !== '.') ||
    // A factory of `jest.mock` is loaded by `require`.
    (kind === 'NamedExports' && implementationFileName.endsWith('/jest/index.js'));
  assert.deepEqual(
    analysis.problems.filter((problem) => !isExpected(problem)),
    [],
  );
});
