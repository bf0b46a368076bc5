import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { methods } from './selectors.mjs';

const ios = path.resolve(import.meta.dirname, '../../ios');
const read = (file) => fs.readFileSync(path.join(ios, file), 'utf8');
const generated = methods(
  fs.readFileSync(path.join(import.meta.dirname, '../codegen/golden/NativeRezMonitorSpec.h'), 'utf8'),
);
const adapter = read('Adapter/RezMonitor.mm');
const defined = methods(adapter);
const declared = methods(read('Bridge/include/RezMonitorNative.h'));

test('the adapter defines every method of the generated protocol with its types', () => {
  assert.equal(generated.length, 26);
  for (const method of generated) {
    const own = defined.find((one) => one.selector === method.selector);
    assert.deepEqual(own, method, method.selector);
  }
});

test('the adapter has no method beside the protocol but init and getTurboModule', () => {
  const others = defined
    .map((one) => one.selector)
    .filter((one) => !generated.some((method) => method.selector === one));
  assert.deepEqual(others, ['init', 'getTurboModule:']);
});

test('every method of the adapter is one call in a macro that catches exceptions', () => {
  for (const line of adapter.split('\n').filter((one) => /^- /.test(one) && !/^- \((instancetype|std)/.test(one))) {
    assert.match(line, /\{ REZ_(TEXT|FLAG|LATER)\(\[_native .*\) \}$/);
  }
  for (const macro of ['REZ_TEXT', 'REZ_FLAG', 'REZ_LATER']) {
    assert.match(adapter, new RegExp(`#define ${macro}\\([^\\n]*(?:\\\\\\n[^\\n]*)*@catch`), macro);
  }
});

test('the adapter calls every method of the bridge, and only those', () => {
  const called = generated.map((method) => {
    const body = adapter.split('\n').find((line) => methods(line)[0]?.selector === method.selector);
    const call = body.match(/\[_native ([^\]]*)\]/)[1];
    const labels = [...call.matchAll(/(\w+):/g)].map(([, label]) => `${label}:`).join('');
    return labels || call;
  });
  assert.deepEqual(
    called,
    declared.map((one) => one.selector),
  );
});

test('Swift implements every method of the bridge under the name that Objective-C calls', () => {
  const swift = read('Impl/RezMonitorImpl.swift');
  const functions = [...swift.matchAll(/^ {4}func (\w+)\(([^)]*)\)/gm)].map(([, name, parameters]) => {
    const labels = parameters
      .split(', ')
      .filter(Boolean)
      .map((one, at) => (at === 0 ? '' : one.split(/[ :]/)[0]));
    return name + labels.map((label) => `${label}:`).join('');
  });
  assert.deepEqual(
    functions,
    declared.map((one) => one.selector),
  );
});

test('the factory looks for the class that Swift defines', () => {
  const name = read('Bridge/RezMonitorFactory.m').match(/NSClassFromString\(@"(\w+)"\)/)[1];
  assert.match(read('Impl/RezMonitorImpl.swift'), new RegExp(`@objc\\(${name}\\)\\n.*: NSObject, RezMonitorNative`));
});

test('every folder of a target has one language', () => {
  const kinds = { '.mm': 'c', '.m': 'c', '.h': 'c', '.swift': 'swift' };
  for (const target of ['Adapter', 'Bridge', 'Impl']) {
    const files = fs
      .readdirSync(path.join(ios, target), { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile());
    assert.equal(new Set(files.map((file) => kinds[path.extname(file.name)])).size, 1, target);
  }
});
