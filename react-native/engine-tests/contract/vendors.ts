/**
 * How the vectors configure each destination, and what its server answers to a valid request; `tests/src/contract/destinations.rs` is the
 * same.
 */
import type { Collector, Received } from '../collector';

type Options = Readonly<Record<string, unknown>>;

export interface Vendor {
  name: string;
  routes: number;
  /** Its own host, which stands in the expected files. */
  host: string;
  /** The body as it is at that host, where the address is in it. */
  atItsHost?(body: string): string;
  settings(collector: Collector, options: Options): object;
  answer(request: Received): string;
}

const BOTH = ['monitoring', 'analytics'];

/** A member of the settings for an option that the vector has. */
function given(options: Options, name: string, setting: string): object {
  return options[name] === undefined ? {} : { [setting]: options[name] };
}

const purposes = ({ analytics }: Options) => ({ purposes: analytics === true ? BOTH : ['monitoring'] });

export const VENDORS: readonly Vendor[] = [
  {
    name: 'rez',
    routes: 1,
    host: 'https://in.example.com',
    settings: ({ url }) => ({ endpoint: url, key: 'write-key', purposes: BOTH }),
    answer({ body }) {
      const { batch_id, events } = JSON.parse(body.toString());
      return JSON.stringify({ batch_id, accepted: events.length });
    },
  },
  {
    name: 'ga4',
    routes: 1,
    host: 'https://www.google-analytics.com',
    settings: ({ url }, { app, all }) => ({
      endpoint: url,
      key: 's3cret',
      ...(app === true
        ? {
            firebaseAppId: '1:1234567890:android:321abc456def7890',
            appInstanceId: '0123456789abcdef0123456789abcdef',
          }
        : { measurementId: 'G-1A2B3C4D5E' }),
      ...(all === true && { purposes: BOTH, apiCalls: true }),
    }),
    answer: () => '',
  },
  {
    name: 'mixpanel',
    routes: 3,
    host: 'https://api.mixpanel.com',
    settings: ({ url }, { all }) => ({
      endpoint: url,
      key: 'T0K3N',
      ...(all === true && { purposes: BOTH, errors: true, interactions: true, apiCalls: true }),
    }),
    answer({ path, body }) {
      if (!path.startsWith('/import')) return '{"error":null,"status":1}';
      return JSON.stringify({ code: 200, num_records_imported: JSON.parse(body.toString()).length, status: 'OK' });
    },
  },
  {
    name: 'sentry',
    routes: 1,
    host: 'https://o1.ingest.sentry.io',
    // Sentry's engine takes the organization from the first label of the host.
    atItsHost: (body) => body.replace(/^(.*"trace":\{[^}]*)\}/, '$1,"org_id":"1"}'),
    settings: ({ url }, options) => ({
      dsn: `${url.replace('//', '//0123456789abcdef@')}/42`,
      ...given(options, 'traces_sample_rate', 'tracesSampleRate'),
      ...given(options, 'messages_as_logs', 'messagesAsLogs'),
      ...given(options, 'analytics_as_logs', 'analyticsAsLogs'),
    }),
    answer: () => '{"id":"0123456789abcdef0123456789abcdef"}',
  },
  {
    name: 'datadog',
    routes: 2,
    host: 'https://browser-intake-datadoghq.com',
    settings: ({ url }, options) => ({
      endpoint: url,
      applicationId: '0190f2aa-7c1e-7a53-9b0e-3b6a3f0d9c11',
      key: 'pub-token',
      ...purposes(options),
      ...given(options, 'forward_errors_to_logs', 'forwardErrorsToLogs'),
      ...given(options, 'mask_user_input', 'maskUserInput'),
      ...given(options, 'track_resources', 'trackResources'),
      ...given(options, 'session_sample_rate', 'sessionSampleRate'),
    }),
    answer: () => '{}',
  },
  {
    name: 'otlp',
    routes: 3,
    host: 'https://otlp.example.com',
    settings: ({ url }, options) => ({
      endpoint: url,
      headers: { 'api-key': 'secret' },
      ...purposes(options),
      ...given(options, 'traces_sample_rate', 'tracesSampleRate'),
      ...given(options, 'breadcrumbs', 'breadcrumbs'),
      ...(options.json === true && { encoding: 'json' }),
    }),
    answer: () => '{"partialSuccess":{}}',
  },
];
