/**
 * The six files of the monitoring guide as an app has them after its move: only their import lines are changed.
 *
 * With `REZ_GUIDE`, the path of the guide, they are its own code blocks; else the files of `fixtures/guide`, which make the same calls.
 * They are no `.ts` files because the packages that they import are not installed here.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILES = ['sentry', 'datadog', 'performance', 'errorHandler', 'analytics', 'mixpanel'] as const;

/** Where each import line of the guide leads now. Empty: the line goes. */
export const IMPORTS: Record<string, string> = {
  '@sentry/react-native': '../../src/sentry',
  '@datadog/browser-rum': '../../src/datadog',
  '@datadog/browser-logs': '../../src/datadog',
  '@react-native-firebase/analytics': '../../src/firebase-analytics',
  'mixpanel-react-native': '../../src/mixpanel',
  'react-native-performance': '',
  '../config/env': './env',
};

const IMPORT = /^import .* from '([^']+)';$/gm;

function source(name: string): string {
  const guide = process.env.REZ_GUIDE;
  if (!guide) return readFileSync(join(__dirname, 'fixtures', 'guide', `${name}.ts.txt`), 'utf8');
  const block = new RegExp(`Create \`frontend/\\w+/${name}\\.ts\`:\\s+\`\`\`typescript\\n([\\s\\S]*?)\`\`\``);
  const [, code] = block.exec(readFileSync(guide, 'utf8')) ?? [];
  if (code === undefined) throw new Error(`the guide has no file ${name}.ts`);
  return code;
}

/** Writes the files. Returns their folder, and what removes it. */
export function writeGuide(): { folder: string; paths: string[]; remove(): void } {
  const folder = join(__dirname, `guide-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'env.ts'), 'export const isProduction = () => true;\n');
  const paths = FILES.map((name) => {
    const path = join(folder, `${name}.ts`);
    const code = source(name).replace(IMPORT, (line, from: string) => {
      const to = IMPORTS[from];
      return to === undefined ? line : to && line.replace(from, to);
    });
    writeFileSync(path, code);
    return path;
  });
  return { folder, paths, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
