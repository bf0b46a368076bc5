/**
 * Debug ids: the id of the source map that belongs to a file of the bundle.
 *
 * A bundle writes its id into a registry of the global object when it begins to run, under the stack of that moment; the stack names the
 * file as the stacks of errors do. `@rez/monitor/metro` adds the line that does so.
 */
import { guarded } from '../core/guard';
import { isObject, read, readText } from '../core/read';
import { parseStack } from '../errors/stack';

/** `_debugIds` is that of no vendor. What Sentry's own tools wrote comes last and wins: they put the same id into the source map. */
const REGISTRIES = ['_debugIds', '_sentryDebugIds'];

/** Files of one app. A native app has one bundle, a web page a few. */
const MOST = 50;

/** The ids of the files that have run, by the names that frames give the files. */
export function debugIds(): Record<string, string> {
  const ids: Record<string, string> = {};
  let left = MOST;
  for (const registry of registries()) {
    for (const stack of names(registry)) {
      const id = readText(registry, stack).toLowerCase();
      const file = fileOf(stack);
      if (!isId(id) || file === '' || left-- <= 0) continue;
      ids[file] = id;
    }
  }
  return ids;
}

/** How many entries the registries have: cheap to compare. */
export function registered(): number {
  return registries().reduce((sum, registry) => sum + names(registry).length, 0);
}

function registries(): object[] {
  return REGISTRIES.map((name) => read(globalThis, name)).filter(isObject);
}

function names(registry: object): string[] {
  return guarded([], () => Object.keys(registry));
}

/** The file of the innermost frame that has one. */
function fileOf(stack: string): string {
  const files = parseStack(stack).map(({ file }) => file ?? '');
  return files.filter((file) => file !== '').pop() ?? '';
}

/** Whether a text is a UUID, with or without hyphens. */
function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}$/.test(text);
}
