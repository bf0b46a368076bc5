// Runs the tests of the configuration: `node run.mjs [name ..]`, by default all. Ends with `N passed, N failed, N skipped`.
import fs from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';

const names = process.argv.slice(2);
const files = fs
  .readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.test.mjs') && (names.length === 0 || names.includes(file.replace('.test.mjs', ''))))
  .map((file) => path.join(import.meta.dirname, file));
if (files.length === 0) {
  console.error(`unknown: ${names.join(', ')}`);
  process.exit(2);
}

const total = { passed: 0, failed: 0, skipped: 0 };
// Two beside each other: half of the time is waiting. Not one for each core, since some tests divide times.
for await (const { type, data } of run({ files, concurrency: 2, timeout: 900_000 })) {
  // A file is a test too, with its path as the name, unless it fails to load.
  const isFile = data.nesting === 0 && files.includes(data.name);
  if (!['test:pass', 'test:fail'].includes(type) || (isFile && type === 'test:pass')) continue;
  if (data.skip !== undefined) {
    total.skipped += 1;
    console.log(`ops: skipped: ${data.name}: ${data.skip}`);
  } else if (type === 'test:pass') total.passed += 1;
  else {
    total.failed += 1;
    console.log(`ops: ${data.name}\n${data.details.error.cause?.stack ?? data.details.error}`);
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
