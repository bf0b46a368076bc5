// Runs the tests of the native half: `node run.mjs [suite ..]`, by default all. Ends with `N passed, N failed, N skipped`.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { run } from 'node:test';
import { prepare as prepareApp } from './app/shop.mjs';
import { pack } from './pack.mjs';
import { prepare as preparePackage } from './package/tools.mjs';
import { NotInstalled } from './work.mjs';

const here = import.meta.dirname;
const SUITES = ['codegen', 'ios', 'plugin', 'example', 'package', 'app', 'metro', 'hermes', 'jest', 'jvm'];
/** The suites that need the package built and packed, and what some need beside it. */
const PACKED = ['package', 'app', 'metro', 'hermes', 'jest'];
const PREPARE = { package: preparePackage, app: prepareApp };
const wanted = process.argv.slice(2).length > 0 ? process.argv.slice(2) : SUITES;
const unknown = wanted.filter((suite) => !SUITES.includes(suite));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}: use ${SUITES.join(', ')}`);
  process.exit(2);
}

const total = { passed: 0, failed: 0, skipped: 0 };

async function nodeTests(suite) {
  const folder = path.join(here, suite);
  const files = fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => path.join(folder, name));
  for await (const { type, data } of run({ files, concurrency: 1 })) {
    // A file is a test too, with its path as the name, unless it fails to load.
    if (
      !['test:pass', 'test:fail'].includes(type) ||
      (data.nesting === 0 && files.includes(data.name) && type === 'test:pass')
    )
      continue;
    if (data.skip !== undefined) skip(data.skip, suite);
    else if (type === 'test:pass') total.passed += 1;
    else {
      total.failed += 1;
      console.log(`${suite}: ${data.name}\n${data.details.error.cause?.stack ?? data.details.error}`);
    }
  }
}

/** The library that `REZ_LIBRARY` names, or that of the checkout. */
function library() {
  const file = process.env.REZ_LIBRARY ?? path.resolve(here, '../../target/debug/librezmonitor.so');
  return fs.existsSync(file) ? path.resolve(file) : null;
}

function skip(why, suite = 'jvm') {
  total.skipped += 1;
  console.log(`${suite}: skipped: ${why}`);
}

let packed;

/** Runs the tests of a suite on the package that npm would publish. */
async function packedTests(suite) {
  try {
    packed ??= pack();
    PREPARE[suite]?.();
  } catch (error) {
    if (error instanceof NotInstalled) return skip(error.message, suite);
    total.failed += 1;
    return console.log(`${suite}: the package cannot be prepared\n${error.message}`);
  }
  await nodeTests(suite);
}

function jvmTests() {
  const so = library();
  if (so === null) return skip('no librezmonitor.so: cargo build --package rez-monitor-ffi, or set REZ_LIBRARY');
  const reports = path.join(here, 'jvm/module/target/surefire-reports');
  fs.rmSync(reports, { recursive: true, force: true });
  const command = ['--batch-mode', '--quiet', '--file', path.join(here, 'jvm/pom.xml'), 'test', `-Drez.library=${so}`];
  const result = spawnSync('mvn', command, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error) return skip(`mvn: ${result.error.message}`);
  const files = fs.existsSync(reports) ? fs.readdirSync(reports).filter((name) => name.endsWith('.xml')) : [];
  let failed = 0;
  for (const file of files) {
    const head = fs.readFileSync(path.join(reports, file), 'utf8').match(/<testsuite [^>]*>/)[0];
    const count = (name) => Number(head.match(new RegExp(` ${name}="(\\d+)"`))[1]);
    const [tests, wrong, skipped] = [count('tests'), count('failures') + count('errors'), count('skipped')];
    failed += wrong;
    total.passed += tests - wrong - skipped;
    total.skipped += skipped;
  }
  if (result.status !== 0 || files.length === 0) {
    failed = Math.max(failed, 1);
    console.log(result.stdout + result.stderr);
  }
  total.failed += failed;
}

for (const suite of wanted) {
  if (suite === 'jvm') jvmTests();
  else if (PACKED.includes(suite)) await packedTests(suite);
  else await nodeTests(suite);
}
if (packed !== undefined) {
  const { files, size, unpackedSize } = packed;
  console.log(`package: ${files.length} files, ${size} bytes, ${unpackedSize} unpacked`);
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;
