/** A source of events outside the package's own calls: what it needs, and what it answers. */
import type { InstrumentationSettings } from '../api/settings';
import { carrier, client } from '../core/carrier';
import type { Client } from '../core/client';
import { hasOwn } from '../core/read';

/** Undoes what a source has installed. Called once. */
export type Undo = () => void;

/**
 * Installs a source. Returns how to undo it, or one sentence that says why there is nothing to observe.
 *
 * A source never throws into the app: what it replaces works as before if our own part fails.
 */
export type Source = (client: () => Client) => Undo | string;

/**
 * Whether something that happens without a call of the app is recorded: from `init` to `close`, unless its setting is off. Before `init`
 * nobody knows the setting.
 */
export function observes(setting: keyof InstrumentationSettings): boolean {
  return client().opened && carrier().settings[setting] !== false;
}

/**
 * Replaces a method of an object, and undoes it exactly: if another library has wrapped ours meanwhile, ours stays in place and only
 * passes on. `make` gets the method before ours.
 */
export function replace<T extends object, K extends keyof T>(
  target: T,
  name: K,
  make: (before: T[K], on: () => boolean) => T[K],
): Undo {
  const own = hasOwn(target, name);
  const before = target[name];
  let on = true;
  const ours = make(before, () => on);
  target[name] = ours;
  return () => {
    on = false;
    if (target[name] !== ours) return;
    if (own) target[name] = before;
    else delete target[name];
  };
}
