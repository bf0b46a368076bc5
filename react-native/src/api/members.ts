/** Reads what an app passes as options: nothing, a number or an object that throws when it is read. */
import { isObject, read } from '../core/read';

/** The named members that are there. One that is null, or throws when it is read, is absent; so is every member of what is no object. */
export function members<T extends object, K extends keyof T>(
  given: T | null | undefined,
  ...names: readonly K[]
): { [N in K]?: NonNullable<T[N]> } {
  const out: { [N in K]?: NonNullable<T[N]> } = {};
  for (const name of names) {
    const value = read(given, name);
    if (value != null) out[name] = value as NonNullable<T[K]>;
  }
  return out;
}

/** A plain copy of an object, and the names of the members that throw when they are read. Undefined: it is no object. */
export function readable<T extends object>(given: T): { copy: T; unreadable: string[] } | undefined {
  if (!isObject(given)) return undefined;
  const copy: Record<string, unknown> = {};
  const unreadable: string[] = [];
  try {
    // Inherited members too: settings of one build are often made from those of another by `Object.create`.
    for (const name in given) {
      try {
        copy[name] = given[name];
      } catch {
        unreadable.push(name);
      }
    }
  } catch {
    return undefined;
  }
  return { copy: copy as T, unreadable };
}
