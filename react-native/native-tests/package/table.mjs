/**
 * The table of versions in the README: what the tests of this folder, of `codegen`, `app` and `jvm` run. After a change of them:
 * `node native-tests/package/table.mjs`.
 */
import fs from 'node:fs';
import path from 'node:path';
import { registered, swiftPackage, versions } from './versions.mjs';

const tests = path.resolve(import.meta.dirname, '..');
const readme = path.resolve(tests, '../README.md');
const [BEGIN, END] = ['<!-- versions: generated -->\n', '<!-- versions: end -->\n'];

const read = (...name) => fs.readFileSync(path.join(tests, ...name), 'utf8');
const app = JSON.parse(read('app/shop/package.json')).dependencies;
const { devDependencies } = JSON.parse(read('package.json'));
const codegen = Object.entries(devDependencies).flatMap(([name, version]) =>
  name.startsWith('codegen-') ? [version.split('@').at(-1)] : [],
);
const [, android] = read('jvm/pom.xml').match(/<react-android\.version>(.+)<\//);
const minor = (version) => version.split('.').slice(0, 2).join('.');

/** What the tests run with one version of React Native. */
function checks({ reactNative, strictApi }) {
  const ran = [
    [true, strictApi ? 'types, also under its strict API' : 'types'],
    [codegen.includes(reactNative), 'generated Java and Objective-C'],
    [registered.some((one) => one.reactNative === reactNative), 'registration on iOS'],
    [swiftPackage === reactNative, 'SwiftPM script'],
    [minor(android) === minor(reactNative), `Kotlin module compiled and run on a JVM (react-android ${android})`],
    [
      app['react-native'] === reactNative,
      `an Expo ${app.expo} app: prebuild, autolinking, native code generation, Metro and Hermes bundles, jest-expo`,
    ],
  ];
  return ran.filter(([does]) => does).map(([, what]) => what);
}

/** The table as the README has it. */
export function table() {
  const rows = versions.map((one) => `| ${one.reactNative} | ${one.expo} | ${checks(one).join('; ')} |`);
  return ['| React Native | Expo SDK of it | what the tests run |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

/** The table that the README has, and the text around it. */
export function current() {
  const text = fs.readFileSync(readme, 'utf8');
  const [start, end] = [text.indexOf(BEGIN) + BEGIN.length, text.indexOf(END)];
  if (start < BEGIN.length || end < start)
    throw new Error(`README.md: the lines ${BEGIN.trim()} and ${END.trim()} are missing`);
  return { before: text.slice(0, start), table: text.slice(start, end), after: text.slice(end) };
}

if (process.argv[1] === import.meta.filename) {
  const { before, after } = current();
  fs.writeFileSync(readme, before + table() + after);
}
