/** The app of this suite, with the packed package in it. `run.mjs` prepares it. */
import fs from 'node:fs';
import path from 'node:path';
import { toolOf } from '../expo.mjs';
import { unpack } from '../pack.mjs';
import { installed, work } from '../work.mjs';

export const shop = path.join(work, 'shop');
export const monitor = path.join(shop, 'node_modules/@rez/monitor');

/** Installs the app, and then the package as `npm install` of its file does, without a change of the lock file. */
export function prepare() {
  installed(path.join(import.meta.dirname, 'shop'));
  unpack(shop);
  const file = path.join(shop, 'package.json');
  const manifest = JSON.parse(fs.readFileSync(file, 'utf8'));
  manifest.dependencies['@rez/monitor'] = 'file:rez-monitor.tgz';
  fs.writeFileSync(file, JSON.stringify(manifest, null, 2));
}

/** Runs a file of a package of the app. */
export const tool = toolOf(shop, path.join(shop, '.cache'));
export const expo = (...command) => tool('expo/bin/cli', ...command);
export const read = (...name) => fs.readFileSync(path.join(shop, ...name), 'utf8');
