import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { generate, javaPackage, protocolOf, versions } from './generate.mjs';

const golden = path.join(import.meta.dirname, 'golden');
const javaFile = path.join(golden, 'java', ...javaPackage.split('.'), 'NativeRezMonitorSpec.java');
const headerFile = path.join(golden, 'NativeRezMonitorSpec.h');

// After a wanted change of the specification: `REZ_BLESS=1 node run.mjs codegen`.
if (process.env.REZ_BLESS === '1') {
  const { java, header } = generate(versions[1]);
  fs.writeFileSync(javaFile, java);
  fs.writeFileSync(headerFile, protocolOf(header));
}

for (const version of versions) {
  test(`React Native ${version} generates the Java class that is committed`, () => {
    assert.equal(generate(version).java, fs.readFileSync(javaFile, 'utf8'));
  });

  test(`React Native ${version} generates the Objective-C protocol that is committed`, () => {
    assert.equal(protocolOf(generate(version).header), fs.readFileSync(headerFile, 'utf8'));
  });
}

test('the specification uses texts, numbers, truth values and promises only', () => {
  const types = [...fs.readFileSync(javaFile, 'utf8').matchAll(/abstract (\w+) \w+\((.*)\);/g)];
  assert.equal(types.length, 26);
  for (const [, answer, parameters] of types) {
    const used = [
      answer,
      ...parameters
        .split(', ')
        .filter(Boolean)
        .map((one) => one.split(' ')[0]),
    ];
    for (const type of used) assert.ok(['String', 'boolean', 'double', 'void', 'Promise'].includes(type), type);
  }
});
