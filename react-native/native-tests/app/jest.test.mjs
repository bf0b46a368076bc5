/** The app's own tests under jest-expo, each reported as one of ours. */
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { shop, tool } from './shop.mjs';

const report = path.join(shop, '.cache/jest.json');
fs.rmSync(report, { force: true });
let failure = 'jest ran no test';
try {
  tool('jest/bin/jest.js', '--ci', '--testTimeout', '120000', '--json', '--outputFile', report);
} catch (error) {
  failure = error.message;
}

const files = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')).testResults : [];
if (files.length === 0) test('jest runs in the app', () => Promise.reject(new Error(failure)));
for (const { name, message, assertionResults, status } of files) {
  const file = path.relative(shop, name);
  if (assertionResults.length === 0 && status === 'failed') test(file, () => Promise.reject(new Error(message)));
  for (const { fullName, status, failureMessages } of assertionResults) {
    const skip = status === 'pending' ? 'REZ_NODE_ADDON is not set' : false;
    test(`${file}: ${fullName}`, { skip }, () => {
      if (status !== 'passed') throw new Error(failureMessages.join('\n'));
    });
  }
}
