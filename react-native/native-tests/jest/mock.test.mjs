// An app that tests itself with the mock: its jest runs here, each of its tests counts as one.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { unpack } from '../pack.mjs';
import { runs } from '../work.mjs';

const here = import.meta.dirname;
const root = path.resolve(here, '../..');
const app = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-jest-'));
after(() => fs.rmSync(app, { recursive: true, force: true }));

const packages = path.join(app, 'node_modules');
unpack(app);
fs.mkdirSync(path.join(packages, '@babel'));
for (const name of ['react', 'react-native', 'react-test-renderer', '@babel/runtime']) {
  fs.symlinkSync(path.join(root, 'node_modules', name), path.join(packages, name));
}
fs.cpSync(path.join(here, 'app'), app, { recursive: true });
const preset = path.join(root, 'node_modules/@react-native/babel-preset');
fs.writeFileSync(path.join(app, 'babel.config.js'), `module.exports = { presets: [${JSON.stringify(preset)}] };`);

const report = path.join(app, 'report.json');
const cli = path.join(root, 'node_modules/.bin/jest');
const args = ['--rootDir', app, '--json', '--outputFile', report, '--no-cache'];
// 1: a test failed. The report says which.
runs([cli, ...args], { cwd: app, env: { ...process.env, CI: '1' }, statuses: [0, 1] });

test('jest runs', () => {
  assert.ok(fs.existsSync(report));
});
const { testResults } = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')) : { testResults: [] };
for (const { message, assertionResults, name } of testResults) {
  if (assertionResults.length === 0) test(path.basename(name), () => assert.fail(message));
  for (const { fullName, status, failureMessages } of assertionResults) {
    test(fullName, () => assert.equal(status, 'passed', failureMessages.join('\n')));
  }
}
