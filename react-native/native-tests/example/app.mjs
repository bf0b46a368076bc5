/** The example app, and its builds. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { runs, work } from '../work.mjs';
import { missing as notInstalled } from './install.mjs';

const folder = path.resolve(import.meta.dirname, '../../example');

/** The host of the API in the build. The browser is told where it is. */
export const API_HOST = 'api.shop.example';

const KEYS = {
  EXPO_PUBLIC_API_URL: `http://${API_HOST}`,
  EXPO_PUBLIC_REZ_ENDPOINT: 'http://127.0.0.1:7345',
  EXPO_PUBLIC_REZ_KEY: 'write-key',
};

/** Nothing may use the network, and no file of a developer the keys. */
const ALONE = { CI: '1', EXPO_OFFLINE: '1', EXPO_NO_TELEMETRY: '1', EXPO_NO_DOTENV: '1', FORCE_COLOR: '0' };

/** Metro keeps the keys of an earlier build in its cache, so other keys get another one. */
const cache = path.join(work, 'example', createHash('sha256').update(JSON.stringify(KEYS)).digest('hex').slice(0, 12));

export const missing = () => notInstalled(folder);

/** Runs a file of a package of the app with Node.js. */
export function tool(file, ...command) {
  const TMPDIR = path.join(cache, '.cache');
  fs.mkdirSync(TMPDIR, { recursive: true });
  const env = { ...process.env, ...ALONE, ...KEYS, TMPDIR };
  return runs([process.execPath, path.join(folder, 'node_modules', file), ...command], { cwd: folder, env });
}

/** Builds the app for a platform, and returns the folder of the build. Bytecode of Hermes is not made: the suite `app` does. */
export function exported(platform) {
  const out = path.join(cache, platform);
  fs.rmSync(out, { recursive: true, force: true });
  tool('expo/bin/cli', 'export', '--no-bytecode', '--platform', platform, '--output-dir', out);
  return out;
}
