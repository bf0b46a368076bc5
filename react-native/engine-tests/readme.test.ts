/** The code that the documentation shows compiles in an app with strict types. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileErrors } from './guide-files';

/** Each document, and the blocks of code that it has at least. */
const DOCUMENTS = [['../README.md', 1]] as const;

const BLOCK = /```tsx?\n([\s\S]*?)```/g;

test.each(DOCUMENTS)('the code of %s compiles', (document, least) => {
  const text = readFileSync(join(__dirname, document), 'utf8');
  const blocks = [...text.matchAll(BLOCK)].map(([, code = '']) => code);
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
