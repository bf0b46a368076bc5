/** The app of this suite, with the packed package in it. `run.mjs` prepares it. */
import fs from 'node:fs';
import path from 'node:path';
import { unpack } from '../pack.mjs';
import { installed, runs, work } from '../work.mjs';

export const source = path.join(import.meta.dirname, 'shop');
export const shop = path.join(work, 'shop');
export const monitor = path.join(shop, 'node_modules/@rez/monitor');

/** Installs the app, and then the package as `npm install` of its file does, without a change of the lock file. */
export function prepare() {
  installed(source);
  unpack(shop);
  const file = path.join(shop, 'package.json');
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  manifest.dependencies['@rez/monitor'] = 'file:rez-monitor.tgz';
  fs.writeFileSync(file, JSON.stringify(manifest, null, 2));
}

/** Runs a file of a package of the app with Node.js. Nothing may use the network. */
export function tool(file, ...command) {
  // Metro keeps what it has compiled there: the next run needs a fifth of the time.
  const TMPDIR = path.join(shop, '.cache');
  fs.mkdirSync(TMPDIR, { recursive: true });
  const env = { ...process.env, CI: '1', EXPO_OFFLINE: '1', EXPO_NO_TELEMETRY: '1', FORCE_COLOR: '0', TMPDIR };
  return runs([process.execPath, path.join(shop, 'node_modules', file), ...command], { cwd: shop, env });
}

export const expo = (...command) => tool('expo/bin/cli', ...command);
export const read = (...name) => fs.readFileSync(path.join(shop, ...name), 'utf8');
