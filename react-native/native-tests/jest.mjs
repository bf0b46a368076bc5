/** The tests that an app has of its own, each reported as one of ours. */
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

/** `jest`: runs the jest of the app with the arguments that it gets; throws with its output if that fails. `skipped`: why a test is. */
export function reportTests(app, jest, skipped = undefined) {
  const report = path.join(app, '.cache/jest.json');
  fs.rmSync(report, { force: true });
  fs.mkdirSync(path.dirname(report), { recursive: true });
  let failure;
  try {
    jest('--ci', '--json', '--outputFile', report);
  } catch (error) {
    failure = error;
  }
  const files = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')).testResults : [];
  test('jest runs', () => {
    // A test that fails is reported beneath.
    const isTold = files.some(({ status }) => status === 'failed');
    if (failure && !isTold) throw failure;
    if (files.length === 0) throw new Error('jest ran no test');
  });
  for (const { name, message, status, assertionResults } of files) {
    const file = path.relative(app, name);
    if (assertionResults.length === 0 && status === 'failed') test(file, () => Promise.reject(new Error(message)));
    for (const { fullName, status, failureMessages } of assertionResults) {
      test(`${file}: ${fullName}`, { skip: status === 'pending' && skipped }, () => {
        if (status !== 'passed') throw new Error(failureMessages.join('\n'));
      });
    }
  }
}
