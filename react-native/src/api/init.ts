/** Opens the engine and installs what `config` asks for. */
import { aboutBundle } from '../bundle/about';
import { carrier, client } from '../core/carrier';
import { guarded, isRecord } from '../core/guard';
import { say, setDebug } from '../core/say';
import { allowInspector } from '../inspector/allowed';
import { install } from '../instrument/install';
import { members, readable } from './members';
import {
  type Config,
  type Destination,
  type Destinations,
  destinationSettings,
  engineSettings,
  hooksOf,
} from './settings';

/** What `init` has done. */
export interface InitResult {
  /** Whether events are recorded. */
  recording: boolean;
  /** What is off although it was asked for, and why: one sentence each. */
  problems: string[];
  /** What is observed without a call. Absent if this call has installed nothing. */
  observed?: string[];
  /** What could not be observed on this platform, and why: one sentence each. */
  notObserved?: string[];
}

/**
 * Opens the engine. Call it before the first render; what is recorded before it waits in memory.
 *
 * A second call adds its destinations and applies `debug`; it changes nothing else. Never throws: what is wrong is in the result, and
 * printed in debug builds.
 */
export function init(config: Config): InitResult {
  const result = guarded(failed('init: the settings cannot be read; pass a plain object'), () => start(config));
  for (const problem of result.problems) say(problem);
  if (result.observed !== undefined) {
    say(
      [`observes ${result.observed.join(', ')}`, ...(result.notObserved ?? []).map((text) => `not ${text}`)].join('; '),
    );
  }
  return result;
}

type Consents = Config['consent'];

function start(passed: Config): InitResult {
  if (!isRecord(passed)) return failed('init: no settings; pass an object');
  const read = readable<Config>(passed);
  if (read === undefined) return failed('init: the settings cannot be read; pass a plain object');
  const config: Config = { ...read.copy, consent: members(read.copy.consent, 'monitoring', 'analytics') as Consents };
  const unread = read.unreadable.map((name) => `init: \`${name}\` throws when it is read; its default applies`);
  if (typeof config.debug === 'boolean') setDebug(config.debug);
  if (config.enabled === false) {
    if (!client().opened) client().switchOff();
    return { recording: client().opened, problems: unread };
  }
  if (client().opened) return { recording: true, problems: [...unread, ...addDestinations(config)] };
  const inspector = config.inspector ?? (config.testMode === true ? true : undefined);
  if (typeof inspector === 'boolean') allowInspector(inspector);
  const { known, problems: incomplete } = destinationsOf(config);
  const problems = [...unread, ...incomplete];
  const settings = engineSettings(config);
  // Before the engine is open: what has waited for it passes the hooks as well.
  client().hooks = { ...client().hooks, ...hooksOf(config) };
  client().aboutBundle = aboutBundle();
  // A wrong key of one vendor must not cost the others their events, so they are tried one by one.
  const wrong = client().open({ ...settings, destinations: known }, config.facts);
  if (wrong !== '') {
    const alone = client().open(settings, config.facts);
    if (alone !== '') return failed(`init: ${alone}`);
    problems.push(...known.flatMap(add));
  }
  carrier().settings = settings;
  const { on, off } = install(config);
  return { recording: true, problems, observed: on, notObserved: off };
}

/** Adds destinations to the open engine. Returns a sentence for each that is off. */
export function addDestinations(destinations: Destinations): string[] {
  return guarded(['the destinations cannot be read; pass a plain object'], () => {
    const { known, problems } = destinationsOf(destinations);
    return [...problems, ...known.flatMap(add)];
  });
}

/** Destinations one by one: what is wrong with one costs no other. */
function destinationsOf(given: Destinations): { known: Destination[]; problems: string[] } {
  const known: Destination[] = [];
  const problems: string[] = [];
  const take = (name: string, one: Destinations) => {
    try {
      const found = destinationSettings(one);
      known.push(...found.known);
      problems.push(...found.problems);
    } catch {
      problems.push(`${name} is off: it cannot be read; pass a plain object`);
    }
  };
  if (!isRecord(given)) return { known, problems: ['no destinations; pass an object'] };
  const { destinations: list, ...named } = given as Destinations;
  for (const [kind, settings] of Object.entries(named)) take(kind, { [kind]: settings });
  if (list != null && !Array.isArray(list)) problems.push('`destinations` is off: pass a list');
  else {
    for (const [at, one] of (list ?? []).entries()) {
      const name = `destinations[${at}]`;
      if (isRecord(one)) take(name, { destinations: [one as unknown as Destination] });
      else problems.push(`${name} is off: pass an object with \`name\` and \`kind\``);
    }
  }
  return { known, problems };
}

function add(destination: Destination): string[] {
  const wrong = client().addDestinations({ destinations: [destination] });
  return wrong === '' ? [] : [`${destination.name} is off: ${wrong}`];
}

function failed(problem: string): InitResult {
  return { recording: false, problems: [problem] };
}

/** Undoes what `init` has installed, ends the session, sends what it can within `timeoutMs`, and closes the engine. */
export async function close(timeoutMs = 2_000): Promise<void> {
  for (const undo of carrier().undo.splice(0).reverse()) {
    try {
      undo();
    } catch {
      // The next one must still be undone.
    }
  }
  client().hooks = {};
  await client().close(timeoutMs);
}
