/**
 * Lets instrumentations reach modules that an app imports. What it requires they reach without this.
 *
 * The loader hook must be that of the copy of import-in-the-middle with which the instrumentations were built, so it is looked up from
 * there. Both entry points are documented: `register-hooks.mjs` runs in the thread of the app, `hook.mjs` in a thread of its own on a
 * Node.js whose `module.registerHooks` lacks a fix (before 22.22.3 and 24.11.1).
 */
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';

interface SyncHooks {
  supportsSyncHooks(): boolean;
  register(): void;
}

/** Registers the hook. Throws what the packages throw. */
export function hookImports(load: NodeJS.Require): void {
  const instrumentations = load.resolve('@opentelemetry/auto-instrumentations-node');
  const base = createRequire(instrumentations).resolve('@opentelemetry/instrumentation');
  const hooks = syncHooks(createRequire(base));
  if (hooks?.supportsSyncHooks()) hooks.register();
  else register('@opentelemetry/instrumentation/hook.mjs', pathToFileURL(instrumentations));
}

/** Releases of import-in-the-middle before 3.3 do not have them. */
function syncHooks(load: NodeJS.Require): SyncHooks | undefined {
  try {
    return load('import-in-the-middle/register-hooks.mjs') as SyncHooks;
  } catch {
    return undefined;
  }
}
