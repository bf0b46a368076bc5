/** Optional packages of the app: loaded when a feature needs them, in the copy that the app has. */
import { createRequire } from 'node:module';
import { isAbsolute, join } from 'node:path';
import { workingFolder } from './folder';
import { warnOnce } from './logger';

/** Resolves and loads as a file of the app does: beside the main script, else in the working directory, else beside this package. */
function appRequires(): NodeJS.Require[] {
  const script = process.argv[1];
  const working = workingFolder();
  return [
    // With `node -` it is no path.
    ...(script && isAbsolute(script) ? [createRequire(script)] : []),
    ...(working === undefined ? [] : [createRequire(join(working, 'package.json'))]),
    createRequire(import.meta.url),
  ];
}

/** The `require` of the first place that finds the package. Undefined: it is not installed. */
export function requireWith(name: string): NodeJS.Require | undefined {
  return appRequires().find((load) => {
    try {
      load.resolve(name);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * The package as the app has it. Undefined: it is not installed, or cannot be loaded. Then `lost` is said once: what does not work
 * without it. Never throws.
 */
export function loadPeer<T>(name: string, lost: string): T | undefined {
  const load = requireWith(name);
  if (!load) {
    warnOnce(`${name} is not installed: ${lost}. Install it with: npm install ${name}`);
    return undefined;
  }
  try {
    return load(name) as T;
  } catch (error) {
    warnOnce(`${name} cannot be loaded (${String(error).split('\n', 1)[0]}): ${lost}`);
    return undefined;
  }
}
