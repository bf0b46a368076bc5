// An app that tests itself with the mock.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { reportTests } from '../jest.mjs';
import { unpack } from '../pack.mjs';
import { runs } from '../work.mjs';

const here = import.meta.dirname;
const root = path.resolve(here, '../..');
const app = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-jest-'));
after(() => fs.rmSync(app, { recursive: true, force: true }));

const packages = path.join(app, 'node_modules');
unpack(app);
fs.mkdirSync(path.join(packages, '@babel'));
for (const name of ['react', 'react-native', 'react-test-renderer', '@babel/runtime']) {
  fs.symlinkSync(path.join(root, 'node_modules', name), path.join(packages, name));
}
fs.cpSync(path.join(here, 'app'), app, { recursive: true });
const preset = path.join(root, 'node_modules/@react-native/babel-preset');
fs.writeFileSync(path.join(app, 'babel.config.js'), `module.exports = { presets: [${JSON.stringify(preset)}] };`);

const cli = path.join(root, 'node_modules/.bin/jest');
const env = { ...process.env, CI: '1' };
reportTests(app, (...command) => runs([cli, '--rootDir', app, '--no-cache', ...command], { cwd: app, env }));
