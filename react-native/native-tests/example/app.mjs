/** The example app, and its builds. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { toolOf } from '../expo.mjs';
import { notInstalled, work } from '../work.mjs';

const folder = path.resolve(import.meta.dirname, '../../example');

/** The host of the API in the build. The browser is told where it is. */
export const API_HOST = 'api.shop.example';

const KEYS = {
  EXPO_PUBLIC_API_URL: `http://${API_HOST}`,
  EXPO_PUBLIC_REZ_ENDPOINT: 'http://127.0.0.1:7345',
  EXPO_PUBLIC_REZ_KEY: 'write-key',
};

/** Metro keeps the keys of an earlier build in its cache, so other keys get another one. */
const cache = path.join(work, 'example', createHash('sha256').update(JSON.stringify(KEYS)).digest('hex').slice(0, 12));

export const missing = () => notInstalled(folder);

/** Runs a file of a package of the app. No file of a developer sets a key. */
export const tool = toolOf(folder, path.join(cache, '.cache'), { ...KEYS, EXPO_NO_DOTENV: '1' });

/** Builds the app for a platform, and returns the folder of the build. Bytecode of Hermes is not made: the suite `app` does. */
export function exported(platform) {
  const out = path.join(cache, platform);
  fs.rmSync(out, { recursive: true, force: true });
  tool('expo/bin/cli', 'export', '--no-bytecode', '--platform', platform, '--output-dir', out);
  return out;
}
