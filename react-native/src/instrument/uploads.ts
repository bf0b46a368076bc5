/** Requests by which other monitoring packages deliver what they have recorded: they are none of the app's. */

/** Hosts that take nothing else. Expo Observe and the native packages of the vendors send outside JavaScript. */
const HOSTS = [
  'ingest.sentry.io',
  'ingest.us.sentry.io',
  'ingest.de.sentry.io',
  'notify.bugsnag.com',
  'sessions.bugsnag.com',
  'otlp.bugsnag.com',
  'o.expo.dev',
  'api.mixpanel.com',
  'api-eu.mixpanel.com',
  'api-in.mixpanel.com',
  'api-js.mixpanel.com',
  'google-analytics.com',
  'analytics.google.com',
  'app-measurement.com',
];

/** Datadog's intakes: `browser-intake-us5-datadoghq.com`, and `http-intake.logs.us5.datadoghq.com` of older packages. */
const DATADOG =
  /(?:^|\.)(?:browser-intake-(?:[a-z0-9]+-)?|logs\.(?:[a-z0-9]+\.)?)(?:datadoghq\.com|datadoghq\.eu|ddog-gov\.com)$/;

const HOST = /^(?:https?:)?\/\/(?:[^/?#\\]*@)?([\w.-]+?)\.?(?::\d+)?(?:[/?#]|$)/i;

/** An intake under a host of the team: the path and the key in the query, or the name of the query's member, are the vendor's. */
const INTAKES = [
  /^[^?#]*\/api\/\d+\/(?:envelope|store)\/?\?[^#]*\bsentry_key=/,
  /^[^?#]*\/api\/v2\/(?:rum|logs|replay|profile|spans)\/?\?[^#]*\bdd-api-key=/,
  /^[^?#]*\?(?:[^#]*&)?ddforward=(?:%2F|\/)api(?:%2F|\/)v2(?:%2F|\/)/i,
];

/** Whether a request delivers the data of another monitoring package. */
export function isUpload(url: string): boolean {
  const [, name = ''] = HOST.exec(url) ?? [];
  const host = name.toLowerCase();
  return isUploadHost(host) || INTAKES.some((intake) => intake.test(url));
}

function isUploadHost(host: string): boolean {
  return DATADOG.test(host) || HOSTS.some((one) => host === one || host.endsWith(`.${one}`));
}
