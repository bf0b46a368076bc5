/** The guide's Datadog APM: the destination from the variables that dd-trace reads, and the ids of the trace in log lines. */
import { defined, recordOf } from '../../../react-native/src/core/guard';
import { activeTrace } from '../core/context';
import { type Fields, setLogMembers, warnOnce } from '../core/logger';
import { addDestination, init } from '../core/monitor';
import type { Destination } from '../core/options';
import { shared } from '../core/shared';

/** The options of the guide and of dd-trace that have a meaning here. Every member is optional. */
export interface DatadogOptions {
  /** Whether log lines of this package have `dd`, the ids of the trace as Datadog writes them. Default: true, as in the guide. */
  logInjection?: boolean;
  /** No effect. Metrics of the process are served by `/metrics`. */
  runtimeMetrics?: boolean;
  /** No effect. Node.js has `--cpu-prof`; continuous profiles need dd-trace. */
  profiling?: boolean;
  /** No effect. Datadog has replaced App Analytics by retention filters, which are set in Datadog. */
  analytics?: boolean;
  /** Default: `DD_SERVICE`. Of no effect after `init`. */
  service?: string;
  /** Default: `DD_ENV`. Of no effect after `init`. */
  env?: string;
  /** Default: `DD_VERSION`. Of no effect after `init`. */
  version?: string;
  /** `datadoghq.com`, `datadoghq.eu`, `us5.datadoghq.com` and so on. Default: `DD_SITE`, else `datadoghq.com`. */
  site?: string;
  /** Whether spans are sent too. Datadog opens its intake for them on request. Default: false. */
  traces?: boolean;
  /** Another OTLP address, `/v1/logs` and so on are appended: an Agent on this machine, `http://127.0.0.1:4318`. */
  endpoint?: string;
}

/** What an option has no equivalent for, and what to use. */
const WITHOUT_EFFECT = {
  runtimeMetrics: 'serve /metrics, which has the metrics of the process',
  profiling: 'use --cpu-prof of Node.js, or dd-trace for continuous profiles',
  analytics: 'set retention filters in Datadog',
} as const;

/**
 * Sends errors, alerts, messages, logs and metrics to Datadog.
 *
 * `DD_API_KEY`, or `endpoint`: over OTLP. `DD_CLIENT_TOKEN` and `DD_APPLICATION_ID` without it: to RUM and the logs, as the destination
 * `datadog` does. With neither, one line of the log says so. Returns whether data is sent to Datadog.
 */
export function initDatadogAPM(given: DatadogOptions = {}): boolean {
  const options: DatadogOptions = recordOf(given);
  for (const [name, instead] of Object.entries(WITHOUT_EFFECT)) {
    if (options[name as keyof typeof WITHOUT_EFFECT] === true) {
      warnOnce(`initDatadogAPM: ${name} has no equivalent here: ${instead}.`);
    }
  }
  const { DD_SERVICE, DD_ENV, DD_VERSION } = process.env;
  const about = defined({
    service: options.service || DD_SERVICE || undefined,
    env: options.env || DD_ENV || undefined,
    version: options.version || DD_VERSION || undefined,
  });
  const { service, env, version } = about;
  init(
    defined({
      app: service,
      environment: env,
      release: version && (service ? `${service}@${version}` : version),
    }),
  );
  if (options.logInjection !== false) injectIds(about);
  const destination = destinationOf(options, process.env);
  if (typeof destination === 'string') {
    warnOnce(`initDatadogAPM: ${destination}`);
    return false;
  }
  return addDestination(destination) === '';
}

/** The destination, or why there is none. */
function destinationOf(options: DatadogOptions, environment: NodeJS.ProcessEnv): Destination | string {
  const { DD_API_KEY, DD_CLIENT_TOKEN, DD_APPLICATION_ID, DD_SERVICE } = environment;
  const site = String(options.site || environment.DD_SITE || 'datadoghq.com');
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(site)) {
    return `the site ${JSON.stringify(site.slice(0, 60))} is not the name of a host: use datadoghq.com, datadoghq.eu or another site of Datadog.`;
  }
  if (DD_API_KEY || options.endpoint) {
    return {
      name: 'datadog',
      kind: 'otlp',
      endpoint: options.endpoint || `https://otlp.${site}`,
      // https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/
      ...(DD_API_KEY && { headers: { 'dd-api-key': DD_API_KEY } }),
      signals: options.traces === true ? ['logs', 'metrics', 'traces'] : ['logs', 'metrics'],
    };
  }
  if (DD_CLIENT_TOKEN && DD_APPLICATION_ID) {
    const service = options.service || DD_SERVICE || undefined;
    return {
      name: 'datadog',
      kind: 'datadog',
      key: DD_CLIENT_TOKEN,
      applicationId: DD_APPLICATION_ID,
      site,
      forwardErrorsToLogs: true,
      ...defined({ service }),
    };
  }
  return 'DD_API_KEY is not set: nothing is sent to Datadog. Set it, or DD_CLIENT_TOKEN and DD_APPLICATION_ID, or pass the endpoint of an Agent.';
}

/** Adds the ids of the trace to log lines, as Datadog writes them. */
function injectIds(about: Fields): void {
  const injected = shared('datadog-logs', () => ({ remove: () => {} }));
  injected.remove();
  const remove = setLogMembers(() => {
    const trace = activeTrace();
    if (trace === undefined) return undefined;
    const { trace_id, span_id } = trace;
    return {
      dd: { trace_id: decimal(trace_id.slice(-16)), span_id: decimal(span_id), ...about },
    };
  });
  injected.remove = () => void remove();
}

/**
 * Datadog's logs name a trace by the decimal number of its lower 64 bits
 * (https://docs.datadoghq.com/tracing/other_telemetry/connect_logs_and_traces/opentelemetry/).
 */
function decimal(hex: string): string {
  return BigInt(`0x${hex}`).toString();
}
