/** Rules that no compiler checks: the package uses only what React Native and Metro have in public. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';

const ROOT = join(__dirname, '..');

/** Not ours, or made by a build. */
const LEFT_OUT = new Set(['node_modules', 'lib', 'vendor', 'target', 'build', 'dist', 'Pods', '.expo', '.bundles']);

const SOURCES = new Set([
  '.ts',
  '.tsx',
  '.js',
  '.jsx',
  '.mjs',
  '.cjs',
  '.kt',
  '.java',
  '.swift',
  '.m',
  '.mm',
  '.h',
  '.gradle',
  '.rb',
]);

function sources(folder = ROOT): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.has(entry.name) || entry.name.startsWith('guide-') ? [] : sources(path);
    return SOURCES.has(extname(entry.name)) && path !== __filename ? [path] : [];
  });
}

/** The module that an import or a require names. */
const IMPORTED = /(?:from\s+|import\s+|import\(\s*|require\(\s*|require\.resolve\(\s*)['"]([^'"]+)['"]/g;

const RULES: [what: string, isBroken: (source: string) => boolean][] = [
  [
    'names ReactNativeHost, which the New Architecture does not have',
    (source) => source.includes(`ReactNative${'Host'}`),
  ],
  ['imports a private file of React Native', (source) => imports(source, /^react-native\/(Libraries|src)\b/)],
  [
    'imports a private file of Metro',
    (source) => imports(source, /^(metro|metro-[\w-]+|@expo\/metro)\/(.*\/)?(src|private)\b/),
  ],
];

function imports(source: string, module: RegExp): boolean {
  return [...source.matchAll(IMPORTED)].some(([, name = '']) => module.test(name));
}

const broken = (source: string) => RULES.filter(([, isBroken]) => isBroken(source)).map(([what]) => what);

test('no source of the package breaks a rule', () => {
  const paths = sources();
  expect(paths.length).toBeGreaterThan(150);
  const found = paths.flatMap((path) =>
    broken(readFileSync(path, 'utf8')).map((what) => `${relative(ROOT, path)} ${what}`),
  );
  expect(found).toEqual([]);
});

test.each([
  [`import x from 'react-native/Libraries/${'Promise'}';`, 1],
  [`const x = require("react-native/src/${'private'}/x");`, 1],
  [`import 'metro-source-map/src/${'x'}';`, 1],
  [`await import('metro/private/${'lib'}/x');`, 1],
  [`class App : ReactNative${'Host'}() {}`, 1],
  ["import { View } from 'react-native';", 0],
  ["import { SourceMapGenerator } from 'metro-source-map';", 0],
])('%s breaks %i rule(s)', (source, count) => {
  expect(broken(source)).toHaveLength(count);
});
