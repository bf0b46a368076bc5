/**
 * What this package decides, in OpenTelemetry's own variables: they are the one interface that every line of the SDK reads. A variable
 * that is already set wins.
 */
import { INSTRUMENTATIONS } from './policy';

/** Who the service is, and how much of it is traced. */
export interface About {
  app: string;
  release: string;
  environment?: string;
  /** Share of the traces that begin here, 0 to 1. A trace that began elsewhere keeps its decision. Undefined: the SDK's default, all. */
  tracesSampleRate?: number;
}

/** The variables that are missing in `environment`, with their values. */
export function variablesOf(about: About, environment: NodeJS.ProcessEnv): Record<string, string> {
  const { app, release, environment: stage, tracesSampleRate: rate } = about;
  const given = environment.OTEL_RESOURCE_ATTRIBUTES ?? '';
  const ours = [
    attribute('service.version', release.slice(release.lastIndexOf('@') + 1)),
    ...(stage ? [attribute('deployment.environment.name', stage)] : []),
  ];
  const found: Record<string, string> = {
    // Of a name that comes twice the SDK takes the last one.
    OTEL_RESOURCE_ATTRIBUTES: [...ours, ...(given.trim() === '' ? [] : [given])].join(','),
  };
  const wanted: Record<string, string> = {
    OTEL_NODE_ENABLED_INSTRUMENTATIONS: INSTRUMENTATIONS.join(','),
    // The app's logger writes the logs. The SDK sends none.
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  };
  if (!/(^|,)\s*service\.name\s*=/.test(given)) wanted.OTEL_SERVICE_NAME = app;
  if (rate !== undefined && !environment.OTEL_TRACES_SAMPLER) {
    wanted.OTEL_TRACES_SAMPLER = 'parentbased_traceidratio';
    found.OTEL_TRACES_SAMPLER_ARG = String(rate);
  }
  for (const [name, value] of Object.entries(wanted)) {
    if (!environment[name]) found[name] = value;
  }
  return found;
}

/** Runs `work` with variables that are taken back before it returns: child processes do not inherit them. */
export function withVariables<T>(variables: Readonly<Record<string, string>>, work: () => T): T {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

function attribute(name: string, value: string): string {
  return `${name}=${encodeURIComponent(value)}`;
}
