/** One event of each kind that an app records with the calls of this package, for a look at its way to the destinations. */
import { logEvent, people, trackInteraction, trackRevenue } from '../api/analytics';
import { captureException, captureFeedback, captureMessage } from '../api/capture';
import { startSpan, trackAPICall, trackImageLoad } from '../api/timing';
import { carrier, client } from '../core/carrier';
import { read, readText } from '../core/read';
import { rootSpan } from '../core/trace';
import { isWrong, show } from './client';

const NAME = 'rez_inspector';
const URL = 'https://example.com/rez-inspector';

type Maker = readonly [kind: string, record: () => unknown];

/** Kinds that only the engine and the native layers record follow below: an invented crash or start would falsify the team's figures. */
const SAMPLES: readonly Maker[] = [
  ['error', () => captureException(new Error('A test of the inspector'), { code: 'REZ_INSPECTOR' })],
  // A text of its own each time, since the engine collapses repetitions.
  ['message', () => captureMessage(`A test of the inspector at ${new Date(client().clock.wallMs()).toISOString()}`)],
  ['feedback', () => captureFeedback('A test of the inspector')],
  ['api_call', () => trackAPICall('GET', URL).finish({ status: 200 })],
  ['image_load', () => trackImageLoad(`${URL}.png`, 1)],
  ['span', () => startSpan(NAME).finish()],
  ['analytics', () => logEvent(NAME)],
  ['interaction', () => trackInteraction('tap', NAME)],
  // XTS is the currency of tests in ISO 4217.
  ['revenue', () => trackRevenue(1, { currency: 'XTS' })],
  ['user_prop', () => people.set(NAME, true)],
];

/** They make their screen the current one. Without the announcement of `trackScreenLoad` they take no screen from its own load. */
const SCREENS: readonly Maker[] = [
  [
    'screen_load',
    () => client().record({ kind: 'screen_load', name: NAME, duration_us: 1_000, trace: rootSpan(client().ids) }),
  ],
  ['screen_view', () => client().record({ kind: 'screen_view', name: NAME })],
];

/** All kinds, for the filter. */
export const KINDS: readonly string[] = [
  ...[...SAMPLES, ...SCREENS].map(([kind]) => kind),
  'alert',
  'crash',
  'app_start',
  'app_exit',
  'frames',
  'hang',
  'log',
  'long_task',
  'metric',
  'session',
];

export interface Sample {
  kind: string;
  /** Empty: a hook dropped it, or the engine does not answer. */
  id: string;
}

/** Records them. The current screen is the same afterwards, so that later events do not belong to the inspector. */
export async function makeSamples(): Promise<Sample[]> {
  const samples = SAMPLES.map(made);
  const shown = await screenOf(samples);
  // What is not known cannot be given back.
  if (shown === undefined) return [...samples, ...SCREENS.map(([kind]) => ({ kind, id: '' }))];
  const screens = SCREENS.map(made);
  // While a screen loads, the others change nothing.
  if (carrier().screen === undefined) giveBack(shown);
  return [...samples, ...screens];
}

function made([kind, record]: Maker): Sample {
  const recorder = client();
  recorder.lastId = '';
  record();
  return { kind, id: recorder.lastId };
}

/** The name of the screen to which these events belong; empty: none. Undefined: the engine does not answer, or has stored none. */
async function screenOf(samples: readonly Sample[]): Promise<string | undefined> {
  for (const { id } of samples) {
    if (id === '') continue;
    const found = await show(id);
    if (!isWrong(found)) return readText(read(found.json, 'view'), 'name');
  }
  return undefined;
}

/** Makes the screen of this name the current one; none for an empty name. */
function giveBack(name: string): void {
  const recorder = client();
  if (name === '') {
    // Only a view with a key has an end.
    recorder.record({ kind: 'screen_view', op: 'start', key: NAME, name: NAME });
    recorder.record({ kind: 'screen_view', op: 'stop', key: NAME });
    return;
  }
  const view = recorder.ids.event(recorder.clock.wallMs());
  recorder.scope({ scope: 'screen', name, view });
  // It has loaded long ago.
  recorder.scope({ scope: 'screen_cancelled', view });
}
