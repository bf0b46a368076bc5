/** Runs `work`. What it throws, because an object of the app throws when it is read, does not reach the app. */
export function guarded<T>(otherwise: T, work: () => T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** The same for work without a result. */
export function quietly(work: () => void): void {
  guarded(undefined, work);
}

/** An object without the members that are undefined. */
export function defined<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) out[name] = value;
  }
  return out as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** Whether a value is an object with members: not null, not a list, not a function. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  // A proxy that has been revoked throws when it is asked whether it is a list.
  return typeof value === 'object' && value !== null && guarded(false, () => !Array.isArray(value));
}

/** The same object; an empty one for anything else. A copy of a long text has a member for each of its characters. */
export function recordOf<T extends object>(value: T | null | undefined): Partial<T> {
  return isRecord(value) ? value : {};
}
