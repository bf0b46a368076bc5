/**
 * `init` of Datadog's two packages. RUM and logs are one destination, `datadog`, with the options of both.
 */
import type { InitResult } from '../api/init';
import type { DatadogDestination } from '../api/settings';
import { client, shared } from '../core/carrier';
import { defined, guarded, isRecord, quietly } from '../core/guard';
import { say } from '../core/say';
import { unsupported, unsupportedOptions } from '../core/unsupported';
import { open } from '../vendors/open';
import type { CommonOptions, LogsOptions, RumOptions } from './types';

const COMMON = ['clientToken', 'site', 'service', 'env', 'version', 'sessionSampleRate'];
const RUM = [
  'applicationId',
  'sessionReplaySampleRate',
  'trackUserInteractions',
  'trackResources',
  'trackLongTasks',
  'defaultPrivacyLevel',
];

/** The options of both so far. */
const known = () => shared('datadog', () => ({ datadog: {} as Partial<DatadogDestination>, isDue: false }));

/** Why there is no session replay. */
const NO_REPLAY =
  'session replay is not supported yet, so nothing is replayed; views, actions, errors and resources are recorded';

export function initRum(options: RumOptions): InitResult {
  return started('datadogRum.init', options, [...COMMON, ...RUM], (given: RumOptions) => ({
    applicationId: given.applicationId,
    sessionSampleRate: share('datadogRum.init', given.sessionSampleRate),
    trackUserInteractions: given.trackUserInteractions,
    trackResources: given.trackResources,
    trackLongTasks: given.trackLongTasks,
    maskUserInput: given.defaultPrivacyLevel === undefined ? undefined : given.defaultPrivacyLevel !== 'allow',
  }));
}

export function initLogs(options: LogsOptions): InitResult {
  return started('datadogLogs.init', options, [...COMMON, 'forwardErrorsToLogs'], (given: LogsOptions) => ({
    logSampleRate: share('datadogLogs.init', given.sessionSampleRate),
    forwardErrorsToLogs: given.forwardErrorsToLogs,
  }));
}

export function startSessionReplayRecording(): void {
  unsupported('datadogRum.startSessionReplayRecording()', NO_REPLAY);
}

type Members = { [K in keyof DatadogDestination]?: DatadogDestination[K] | undefined };

function started<O extends CommonOptions>(
  call: string,
  options: O,
  taken: string[],
  own: (options: O) => Members,
): InitResult {
  const failed: InitResult = { recording: client().opened, problems: [`${call}: the options cannot be read`] };
  return guarded(failed, () => {
    if (!isRecord(options)) return failed;
    unsupportedOptions(call, options, taken);
    const { clientToken, site, service, env, version } = options;
    const { datadog } = known();
    Object.assign(datadog, defined({ ...own(options), key: clientToken, site, service }));
    const settings = { environment: env, release: version };
    if (call === 'datadogLogs.init' && datadog.applicationId === undefined) {
      // Logs need the application id as well, which only RUM has.
      say('datadogLogs.init: logs are sent once `datadogRum.init` has named the application');
      return open(call, settings);
    }
    if (!datadog.applicationId || !datadog.key) return open(call, { ...settings, datadog: { ...datadog } });
    const result = open(call, settings);
    addSoon(call);
    return result;
  });
}

/**
 * Adds the destination at the end of the tick, once: a destination that is replaced while its request is running sends the events of
 * the request again.
 */
function addSoon(call: string): void {
  const state = known();
  if (state.isDue) return;
  state.isDue = true;
  void Promise.resolve().then(() => {
    state.isDue = false;
    quietly(() => open(call, { datadog: { ...state.datadog } }));
  });
}

/** A percentage as a share. */
function share(call: string, percent: unknown): number | undefined {
  if (percent === undefined) return undefined;
  if (typeof percent === 'number' && percent >= 0 && percent <= 100) return percent / 100;
  say(`${call}: a sample rate is a number from 0 to 100; 100 is used`);
  return 1;
}
