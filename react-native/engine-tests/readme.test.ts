/** The code that the documentation shows compiles in an app with strict types. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileErrors } from './app-compiler';
import { IMPORTS } from './guide-files';

/** Each document, and the blocks of code that it has at least. */
const MIGRATION = '../../docs/guide/migrate-from-the-guide.md';
const DOCUMENTS = [
  ['../README.md', 1],
  [MIGRATION, 7],
  ['../../docs/guide/crashes.md', 1],
] as const;

const BLOCK = /```(tsx?|diff)\n([\s\S]*?)```/g;

/** The code of a block; of a difference, what it adds. */
function code([, language, text = '']: RegExpMatchArray): string {
  if (language !== 'diff') return text;
  return text.replace(/^[^+].*\n/gm, '').replace(/^\+/gm, '');
}

test.each(DOCUMENTS)('the code of %s compiles', (document, least) => {
  const text = readFileSync(join(__dirname, document), 'utf8');
  const blocks = [...text.matchAll(BLOCK)].map(code);
  expect(blocks.length).toBeGreaterThanOrEqual(least);
  const folder = join(__dirname, `guide-readme-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const paths = blocks.map((code, number) => {
      const path = join(folder, `block-${number}.tsx`);
      writeFileSync(path, code.replaceAll("'@rez/monitor", "'../../src"));
      return path;
    });
    expect(compileErrors(paths)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the migration page has each file of the guide, with its import lines and its differences', () => {
  const page = readFileSync(join(__dirname, MIGRATION), 'utf8');
  for (const file of ['sentry', 'datadog', 'performance', 'errorHandler', 'analytics', 'mixpanel']) {
    const [, section = ''] = page.split(`\n## ${file}.ts\n`);
    const [own = ''] = section.split('\n## ');
    expect([file, own]).toEqual([file, expect.stringMatching(/```diff\n(-import .*\n)+/)]);
    expect([file, own]).toEqual([
      file,
      expect.stringMatching(/\| difference \| reason \|\n\| --- \| --- \|\n\| .+ \| .+ \|/),
    ]);
    // The import lines that go are those of the guide's own file.
    const removed = [...own.matchAll(/^-import .* from '([^']+)'/gm)].map(([, from]) => from);
    for (const from of removed) expect([file, Object.keys(IMPORTS)]).toEqual([file, expect.arrayContaining([from])]);
  }
});

test('the README names everything that the package exports', () => {
  const index = readFileSync(join(__dirname, '../src/index.ts'), 'utf8');
  const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');
  const tables = readme.slice(readme.indexOf('## What an app calls'));
  const names = [...index.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, list = '']) => list.split(','))
    .map((name) => name.trim().replace(/^type /, ''))
    .filter((name) => name !== '');
  expect(names.length).toBeGreaterThan(50);
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(tables))).toEqual([]);
});
