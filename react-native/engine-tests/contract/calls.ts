/** Verbs that are calls of their own. The client hands over what was recorded before each, since calls and items have one order. */
import type { Client, Consent, Purpose } from '../../src/core/client';
import { type Call, text } from './vector';

export const CALLS: Readonly<Record<string, (client: Client, call: Call) => void>> = {
  pause: (client, call) => check(client.pauseDestination(text(call, 'name'))),
  resume: (client, call) => check(client.resumeDestination(text(call, 'name'))),
  foreground: (client, call) => check(client.setForeground(call.value === true)),
  new_session: (client) => check(client.newSession()),
  consent: (client, call) => check(client.setConsent(text(call, 'purpose') as Purpose, text(call, 'state') as Consent)),
  forget_user: (client) => check(client.forgetUser()),
  facts: (client, call) => check(client.setFacts(call.facts as object)),
  set_release: (client, call) =>
    check(client.setRelease(text(call, 'release'), call.dist === undefined ? '' : text(call, 'dist'))),
  conditions: (client, call) => check(client.setConditions((call.conditions ?? {}) as object)),
};

/** Fails with what is wrong: a sentence, or false. */
function check(answer: string | boolean): void {
  if (answer !== '' && answer !== true) throw new Error(`the engine answered ${JSON.stringify(answer)}`);
}
