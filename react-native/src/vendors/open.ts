/**
 * The engine behind the entries that stand in for the vendors' packages.
 *
 * Each of those packages is started on its own; here they share one engine. The first opens it with its settings, each later one adds
 * its destination.
 */
import { type InitResult, init } from '../api/init';
import type { Config } from '../api/settings';
import { client, shared } from '../core/carrier';
import { defined } from '../core/guard';
import { say } from '../core/say';

/** The vendors' packages ask for no consent when they are started, so their entries grant it. `setConsent` changes it. */
export const CONSENT = { monitoring: 'granted', analytics: 'granted' } as const;

type Loose<T> = { [K in keyof T]?: T[K] | undefined };

/** Opens the engine with these settings, or adds their destinations. `call` names it in what a developer reads. */
export function open(call: string, settings: Loose<Omit<Config, 'consent'>>): InitResult {
  const first = shared('opened', () => ({ environment: undefined as string | undefined }));
  const wasOpen = client().opened;
  const given = defined(settings) as Partial<Config>;
  const result = init({ ...given, consent: CONSENT });
  if (!wasOpen) first.environment = given.environment;
  else if (given.environment !== undefined && first.environment !== given.environment) {
    say(
      `${call}: the engine was opened with another environment, which stays; make the calls with the environment first`,
    );
  }
  return result;
}
