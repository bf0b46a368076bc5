/** The code of the README and of the pages for servers compiles as it stands. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const PACKAGE = join(import.meta.dirname, '..');
const PAGES = [
  'README.md',
  '../docs/guide/backend.md',
  '../docs/guide/backend-performance.md',
  '../docs/guide/backend-telemetry.md',
  '../docs/guide/ingest.md',
  '../docs/guide/scale.md',
];

/** In the package, so that its name and its neighbours resolve as in an app. */
const folder = join(PACKAGE, 'snippets');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The blocks of TypeScript, without those that say `ignore`: what the guide writes, and parts of a whole. */
function snippets(page: string): string[] {
  const text = readFileSync(join(PACKAGE, page), 'utf8');
  return [...text.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '');
}

/** Files of an app that snippets import. */
const OF_APP: Record<string, string> = {
  'config/logger.ts': "import { pino } from 'pino';\nexport default pino();\n",
  'config/redis.ts': "import { Redis } from 'ioredis';\nexport default new Redis();\n",
};

test('each snippet of the pages compiles', () => {
  rmSync(folder, { recursive: true, force: true });
  for (const [name, code] of Object.entries(OF_APP)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), code);
  }
  const counts: Record<string, number> = {};
  for (const page of PAGES) {
    const all = snippets(page);
    counts[page] = all.length;
    for (const [at, code] of all.entries()) {
      const name = `${page.replace(/^.*\//, '').replace('.md', '')}-${at + 1}.ts`;
      // A snippet without an import is a module too.
      writeFileSync(join(folder, name), `${code}\nexport {};\n`);
    }
  }
  const config = {
    extends: '../tsconfig.json',
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      paths: {
        'react-native': ['../src/core/react-native.d.ts'],
        '@rez/monitor-node': ['../src/index.ts'],
        '@rez/monitor-node/ingest': ['../src/ingest/index.ts'],
        '@rez/monitor-node/register': ['../src/register.ts'],
      },
    },
    include: ['.'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = spawnSync(
    process.execPath,
    [join(PACKAGE, 'node_modules/typescript/bin/tsc'), '--noEmit', '-p', folder],
    {
      encoding: 'utf8',
    },
  );
  expect(tsc.stdout + tsc.stderr).toBe('');
  expect(counts['README.md']).toBe(1);
  expect(counts['../docs/guide/backend.md']).toBeGreaterThan(5);
});
