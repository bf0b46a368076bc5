/** The names of other packages in the documentation are names that these packages have. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const SECTION = /### The same thing in other packages\n([\s\S]*?)\n##/;
const NEIGHBOURS = join(__dirname, 'neighbours/node_modules');

/** Where the types of each column are. Mixpanel's package is not installed: its entry here has the names. */
const COLUMNS = [
  join(__dirname, '../src/index.ts'),
  join(NEIGHBOURS, '@sentry/react-native/dist/js'),
  join(NEIGHBOURS, '@datadog/mobile-react-native/lib/typescript'),
  join(__dirname, 'firebase-types/node_modules/firebase-analytics-26/dist/typescript'),
  join(__dirname, '../src/mixpanel'),
  join(NEIGHBOURS, 'expo-observe/build'),
];

/** All type declarations, and the sources of ours. */
function text(path: string): string {
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm ci\` in the folder of engine-tests above it`);
  if (statSync(path).isFile()) return readFileSync(path, 'utf8');
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => /\.ts$/.test(name));
  return files.map((name) => readFileSync(join(path, name), 'utf8')).join('\n');
}

test('each name in the table of other packages exists there', () => {
  const [, section = ''] = SECTION.exec(readFileSync(join(__dirname, '../../docs/guide/faces.md'), 'utf8')) ?? [];
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, -1));
  expect(rows.length).toBeGreaterThan(20);
  const texts = COLUMNS.map(text);
  // The first line names the packages.
  const unknown = rows.slice(1).flatMap((cells) => {
    expect(cells).toHaveLength(COLUMNS.length);
    return cells.flatMap((cell, column) =>
      [...cell.matchAll(/`(\w+)(?:\.\w+)?`/g)]
        .map(([, name = '']) => name)
        .filter((name) => !new RegExp(`\\b${name}\\b`).test(texts[column] ?? ''))
        .map((name) => `column ${column}: ${name}`),
    );
  });
  expect(unknown).toEqual([]);
});
