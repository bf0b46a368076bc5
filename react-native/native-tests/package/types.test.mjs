/** The declarations of the package in an app, for each version of React Native. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { appOf, tools } from './tools.mjs';
import { versions } from './versions.mjs';

const ts = createRequire(path.join(tools, 'package.json'))('typescript');

const STRICT = {
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
};

/** What TypeScript says about the package and the app; errors inside of React Native are its own. */
function problems(app, customConditions) {
  const file = path.join(app, 'uses.tsx');
  fs.copyFileSync(path.join(import.meta.dirname, 'uses.tsx'), file);
  const options = {
    ...STRICT,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts'],
    jsx: ts.JsxEmit.ReactJSX,
    noEmit: true,
    types: [],
    customConditions,
  };
  const program = ts.createProgram([file], options);
  const ours = program
    .getSourceFiles()
    .filter(({ fileName }) => fileName === file || fileName.includes('/node_modules/@rez/monitor/'));
  assert.ok(ours.length > 10, 'the declarations of the package were not found');
  const found = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((one) => [...program.getSyntacticDiagnostics(one), ...program.getSemanticDiagnostics(one)]),
  ];
  const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => app, getNewLine: () => '\n' };
  return ts.formatDiagnostics(found, host);
}

for (const { reactNative, strictApi } of versions) {
  const app = appOf(reactNative);

  test(`the types compile against React Native ${reactNative}`, () => {
    assert.equal(problems(app, []), '');
  });

  if (!strictApi) continue;
  test(`the types compile against the strict API of React Native ${reactNative}`, () => {
    assert.equal(problems(app, ['react-native-strict-api']), '');
  });
}
