/** What the app has switched on and the package does not do. The self-test of `init` lists it. */
import { shared } from './carrier';
import { say } from './say';

const known = () => shared('unsupported', () => new Map<string, string>());

/** Notes it, and tells the developer once. `feature`: as the app wrote it. `why`: one sentence, with what to do. */
export function unsupported(feature: string, why: string): void {
  const all = known();
  if (all.has(feature) || all.size >= 100) return;
  all.set(feature, why);
  say(`${feature}: ${why}`);
}

/** One sentence for each feature that the app has asked for and does not get. */
export function unsupportedFeatures(): string[] {
  return Array.from(known(), ([feature, why]) => `${feature}: ${why}`);
}

/** Notes each option that is set and not in `taken`. */
export function unsupportedOptions(call: string, options: object, taken: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !taken.includes(name)) unsupported(`${call}({ ${name} })`, 'the option has no effect');
  }
}
