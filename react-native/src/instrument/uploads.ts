/** Requests by which other monitoring packages deliver what they have recorded: they are none of the app's. */

/** Hosts that take nothing else. Expo Observe and the native packages of the vendors send outside JavaScript. */
const HOSTS = [
  'ingest.sentry.io',
  'ingest.us.sentry.io',
  'ingest.de.sentry.io',
  'browser-intake-datadoghq.com',
  'browser-intake-us3-datadoghq.com',
  'browser-intake-us5-datadoghq.com',
  'browser-intake-ap1-datadoghq.com',
  'browser-intake-ap2-datadoghq.com',
  'browser-intake-datadoghq.eu',
  'browser-intake-ddog-gov.com',
  'o.expo.dev',
  'api.mixpanel.com',
  'api-eu.mixpanel.com',
  'api-in.mixpanel.com',
  'api-js.mixpanel.com',
  'google-analytics.com',
  'app-measurement.com',
];

const HOST = /^(?:https?:)?\/\/([\w.-]+?)\.?(?::\d+)?(?:[/?#]|$)/i;

/** An intake under a host of the team: the path and the key in the query are the vendor's. */
const INTAKES = [
  /^[^?#]*\/api\/\d+\/(?:envelope|store)\/?\?[^#]*\bsentry_key=/,
  /^[^?#]*\/api\/v2\/(?:rum|logs|replay|profile|spans)\/?\?[^#]*\bdd-api-key=/,
];

/** Whether a request delivers the data of another monitoring package. */
export function isUpload(url: string): boolean {
  const [, name = ''] = HOST.exec(url) ?? [];
  const host = name.toLowerCase();
  return HOSTS.some((one) => host === one || host.endsWith(`.${one}`)) || INTAKES.some((intake) => intake.test(url));
}
