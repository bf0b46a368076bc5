import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { PLATFORMS, pack } from '../pack.mjs';
import { platformPackage } from '../src/core/addon';
import { addonFile, newFolder } from './engine';

const NAME = '@rez/monitor-node';
const platform = platformPackage().slice(NAME.length + 1);

/** An app that installs the packed packages as npm does from a registry. */
let app: string;

beforeAll(() => {
  const out = newFolder();
  const { main, own } = pack(addonFile, platform, out);
  const packed = [main, own].map((folder) => {
    const name = npm(folder, 'pack', '--pack-destination', out).trim().split('\n').at(-1);
    return join(out, name ?? '');
  });
  app = join(out, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: '@shop/api', version: '2.4.1', private: true }));
  // Those of the other platforms are not published, and npm must not miss them.
  npm(app, 'install', '--offline', '--omit=optional', ...packed);
});

function npm(folder: string, ...options: string[]): string {
  return execFileSync('npm', [...options, '--no-audit', '--no-fund'], { cwd: folder, encoding: 'utf8' });
}

/** What a script of the app prints. */
function run(type: 'module' | 'commonjs', script: string): string {
  const { REZ_NODE_ADDON: _, ...environment } = process.env;
  const run = spawnSync(process.execPath, [`--input-type=${type}`, '-e', script], {
    cwd: app,
    env: environment,
    encoding: 'utf8',
  });
  return run.stdout + run.stderr;
}

test('this machine is one of the platforms', () => {
  expect(Object.keys(PLATFORMS)).toContain(platform);
});

test('an installed package finds the addon of its platform, from ES modules and from CommonJS', () => {
  const print = 'console.log(init(), status().status.start.version); close(0)';
  expect(run('module', `import { init, status, close } from '${NAME}'; ${print}`)).toBe('true api@2.4.1\n');
  expect(run('commonjs', `const { init, status, close } = require('${NAME}'); ${print}`)).toBe('true api@2.4.1\n');
  expect(existsSync(join(app, '.rez-monitor/queue.db'))).toBe(true);
});

test('both forms of the package have one engine', () => {
  const script = `
    import * as es from '${NAME}';
    import { createRequire } from 'node:module';
    const common = createRequire(process.cwd() + '/x.js')('${NAME}');
    es.init();
    const id = common.captureException(new Error('x'));
    console.log(es.captureException !== common.captureException, (await es.why(id)).row.id === id);
    await common.close(0);`;
  expect(run('module', script)).toBe('true true\n');
});
