// A real Expo app: `expo export`, which makes over-the-air updates, and `export:embed`, which makes the bundle of a native build.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { toolOf } from '../expo.mjs';
import { work } from '../work.mjs';
import { app, install, UUID } from './installed.mjs';

const out = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-expo-'));
const log = path.join(out, 'ids');

const tool = toolOf(app, path.join(work, 'metro/.cache'), { REZ_DEBUG_IDS: log });

before(install);
after(() => fs.rmSync(out, { recursive: true, force: true }));

/** Runs the command line of Expo. Returns the ids that the config of the app was told. */
function expo(...args) {
  fs.writeFileSync(log, '');
  tool('expo/bin/cli', ...args);
  return fs
    .readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** All files below a folder. */
const files = (folder) => fs.readdirSync(folder, { recursive: true }).map((name) => path.join(folder, name));
const json = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

test('an update over the air has the id in bytecode and map', () => {
  const folder = path.join(out, 'dist');
  const ids = expo('export', '--platform', 'android', '--source-maps', '--output-dir', folder);
  assert.deepEqual(
    ids.map(({ platform }) => platform),
    ['android'],
  );
  const [{ debugId }] = ids;
  assert.match(debugId, UUID);
  const made = files(path.join(folder, '_expo/static/js/android'));
  const [code] = made.filter((file) => file.endsWith('.hbc'));
  const [map] = made.filter((file) => file.endsWith('.hbc.map')).map(json);
  assert.ok(fs.readFileSync(code).includes(debugId));
  assert.deepEqual([map.debugId, map.debug_id], [debugId, debugId]);
  assert.ok(map.sources.some((source) => source.endsWith('/index.js')));
  assert.equal(json(path.join(folder, 'metadata.json')).bundler, 'metro');
});

test('the bundle of a native build has the id in code and map, and no other one', () => {
  const to = path.join(out, 'main.jsbundle');
  const flags = ['--platform', 'ios', '--dev', 'false', '--bytecode', 'false', '--entry-file', 'index.js'];
  const ids = expo('export:embed', ...flags, '--bundle-output', to, '--sourcemap-output', `${to}.map`);
  assert.equal(ids.length, 1);
  const [{ debugId }] = ids;
  const code = fs.readFileSync(to, 'utf8');
  assert.deepEqual(code.match(/^\/\/# debugId=.*$/gm), [`//# debugId=${debugId}`]);
  assert.ok(code.includes(`[s]='${debugId}'`));
  const map = json(`${to}.map`);
  assert.deepEqual([map.debugId, map.debug_id], [debugId, debugId]);
});
