/** The guide's New Relic: its `newrelic.js` names the app, the key and what is private, and the data goes over OTLP. */
import { defined, recordOf } from '../../../react-native/src/core/guard';
import { warnOnce } from '../core/logger';
import { addDestination, init } from '../core/monitor';
import { setRequestPrivacy } from '../http/request-privacy';
import { readNewRelicConfig } from './newrelic-config';

export interface NewRelicOptions {
  /** Another OTLP address, `/v1/logs` and so on are appended. Default: New Relic's, in the region of the key. */
  endpoint?: string;
}

/**
 * Sends errors, alerts, spans and metrics to New Relic as the app's `newrelic.js` says, and returns whether it does.
 *
 * `app_name` is the name of the app, unless `init` was called before.
 * `attributes.exclude` and `allow_all_headers` say what errors tell about a request, whichever destination gets them; those rules count
 * even where the key is missing. Without a file that can be read, or without a key, one line of the log says what to do.
 */
export function initNewRelic(file?: string, options: NewRelicOptions = {}): boolean {
  const config = readNewRelicConfig(file, process.env);
  if (typeof config === 'string') return withoutNewRelic(config);
  const { app, licenseKey, enabled, allowAllHeaders, exclude } = config;
  setRequestPrivacy({ exclude, ...(allowAllHeaders && { allHeaders: true }) });
  if (!enabled) return withoutNewRelic('the agent is disabled by its configuration.');
  init(defined({ app: app || undefined }));
  if (licenseKey === '') return withoutNewRelic('there is no licence key: set NEW_RELIC_LICENSE_KEY.');
  const wrong = addDestination({
    name: 'newrelic',
    kind: 'otlp',
    endpoint: recordOf(options).endpoint || endpointOf(licenseKey),
    headers: { 'api-key': licenseKey },
  });
  return wrong === '';
}

/**
 * The OTLP address for a licence key: the keys of the European region begin with `eu01`
 * (https://docs.newrelic.com/docs/opentelemetry/best-practices/opentelemetry-otlp/).
 */
export function endpointOf(licenseKey: string): string {
  return licenseKey.startsWith('eu01') ? 'https://otlp.eu01.nr-data.net' : 'https://otlp.nr-data.net';
}

function withoutNewRelic(why: string): false {
  warnOnce(`initNewRelic: ${why} Nothing is sent to New Relic.`);
  return false;
}
