/** One event of each kind that an app records with the calls of this package, for a look at its way to the destinations. */
import { logEvent, logScreenView, people, trackInteraction, trackRevenue } from '../api/analytics';
import { captureException, captureFeedback, captureMessage } from '../api/capture';
import { startSpan, trackAPICall, trackImageLoad, trackScreenLoad } from '../api/timing';
import { client } from '../core/carrier';

const NAME = 'rez_inspector';
const URL = 'https://example.com/rez-inspector';

/** Kinds that only the engine and the native layers record follow below: an invented crash or start would falsify the team's figures. */
const SAMPLES: readonly (readonly [kind: string, record: () => unknown])[] = [
  ['error', () => captureException(new Error('A test of the inspector'), { code: 'REZ_INSPECTOR' })],
  // A text of its own each time, since the engine collapses repetitions.
  ['message', () => captureMessage(`A test of the inspector at ${new Date(client().clock.wallMs()).toISOString()}`)],
  ['feedback', () => captureFeedback('A test of the inspector')],
  ['screen_load', () => trackScreenLoad(NAME).finish()],
  ['api_call', () => trackAPICall('GET', URL).finish({ status: 200 })],
  ['image_load', () => trackImageLoad(`${URL}.png`, 1)],
  ['span', () => startSpan(NAME).finish()],
  ['analytics', () => logEvent(NAME)],
  ['screen_view', () => logScreenView(NAME)],
  ['interaction', () => trackInteraction('tap', NAME)],
  // XTS is the currency of tests in ISO 4217.
  ['revenue', () => trackRevenue(1, { currency: 'XTS' })],
  ['user_prop', () => people.set(NAME, true)],
];

/** All kinds, for the filter. */
export const KINDS: readonly string[] = [
  ...SAMPLES.map(([kind]) => kind),
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
  /** Empty: a hook dropped it, or there is no engine. */
  id: string;
}

/** Records them. */
export function makeSamples(): Sample[] {
  return SAMPLES.map(([kind, record]) => {
    const recorder = client();
    recorder.lastId = '';
    record();
    return { kind, id: recorder.lastId };
  });
}
