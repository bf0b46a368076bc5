/** The programs of an Expo app. */
import fs from 'node:fs';
import path from 'node:path';
import { runs } from './work.mjs';

/** Nothing may use the network. `NODE_ENV` is the choice of each program. */
const ALONE = { CI: '1', EXPO_OFFLINE: '1', EXPO_NO_TELEMETRY: '1', FORCE_COLOR: '0', NODE_ENV: undefined };

/** The variables of a program of Expo. `cache`: where Metro keeps what it has compiled; the next run needs a fifth of the time. */
export function environment(cache, variables = {}) {
  fs.mkdirSync(cache, { recursive: true });
  return { ...process.env, ...ALONE, ...variables, TMPDIR: cache };
}

/**
 * Returns `(file, ...arguments) => what it prints`, which runs a file of a package of the app with Node.js.
 *
 * `cache` and `variables`: see {@link environment}.
 */
export function toolOf(app, cache, variables = {}) {
  return (file, ...command) => {
    const env = environment(cache, variables);
    return runs([process.execPath, path.join(app, 'node_modules', file), ...command], { cwd: app, env });
  };
}
