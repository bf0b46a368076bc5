/** What `init` takes, and the settings record of the engine that it becomes (`docs/guide/configure.md`). */
import type { Consent, EventHint, Hooks, Purpose } from '../core/client';
import { isDevelopment } from '../core/development';
import type { Breadcrumb, EventItem, Level } from '../core/items';

type Purposes = { purposes?: readonly Purpose[] };

/** The team's own backend. Takes both purposes. */
export interface RezDestination extends Purposes {
  endpoint: string;
  /** The write key. */
  key: string;
}

export interface SentryDestination {
  dsn: string;
  /** Share of the traces whose transactions are sent, 0 to 1. Default 1. */
  tracesSampleRate?: number;
  messagesAsLogs?: boolean;
  analyticsAsLogs?: boolean;
}

export interface DatadogDestination extends Purposes {
  applicationId: string;
  /** The client token. */
  key: string;
  /** Default `datadoghq.com`. */
  site?: string;
  service?: string;
  endpoint?: string;
  /** Shares of sessions and logs, 0 to 1. Default 1. */
  sessionSampleRate?: number;
  logSampleRate?: number;
  forwardErrorsToLogs?: boolean;
  maskUserInput?: boolean;
  trackUserInteractions?: boolean;
  trackResources?: boolean;
  trackLongTasks?: boolean;
}

export interface MixpanelDestination extends Purposes {
  /** The project token. */
  key: string;
  region?: 'us' | 'eu' | 'in';
  endpoint?: string;
  errors?: boolean;
  interactions?: boolean;
  apiCalls?: boolean;
}

export interface Ga4Destination extends Purposes {
  /** The API secret. */
  key: string;
  /** A web stream: `G-1A2B3C4D5E`. */
  measurementId?: string;
  /** An app stream. */
  firebaseAppId?: string;
  appInstanceId?: string;
  region?: 'us' | 'eu';
  endpoint?: string;
  interactions?: boolean;
  apiCalls?: boolean;
}

export interface OtlpDestination extends Purposes {
  endpoint?: string;
  logsEndpoint?: string;
  tracesEndpoint?: string;
  metricsEndpoint?: string;
  /** A bearer token. */
  key?: string;
  headers?: Readonly<Record<string, string>>;
  signals?: readonly ('logs' | 'traces' | 'metrics')[];
  encoding?: 'protobuf' | 'json';
  breadcrumbs?: boolean;
  tracesSampleRate?: number;
}

/** A destination of a kind, under a name of its own. */
export type Destination = { name: string } & (
  | ({ kind: 'rez' } & RezDestination)
  | ({ kind: 'sentry' } & SentryDestination)
  | ({ kind: 'datadog' } & DatadogDestination)
  | ({ kind: 'mixpanel' } & MixpanelDestination)
  | ({ kind: 'ga4' } & Ga4Destination)
  | ({ kind: 'otlp' } & OtlpDestination)
);

/** The destinations, by their usual names. A second one of a kind goes into `destinations`. */
export interface Destinations {
  rez?: Partial<RezDestination>;
  sentry?: Partial<SentryDestination>;
  datadog?: Partial<DatadogDestination>;
  mixpanel?: Partial<MixpanelDestination>;
  ga4?: Partial<Ga4Destination>;
  otlp?: OtlpDestination;
  destinations?: readonly Destination[];
}

/** Settings of the engine that this package names. Defaults and limits: `docs/guide/configure.md`. */
export interface EngineSettings {
  /** Where the queue is stored. Default: the app's own folder. */
  folder?: string;
  /** The app's name. Default: its package name. */
  app?: string;
  /** The version, sent as given: `shop@1.4.0+52`. Default: the version and build of the app. */
  release?: string;
  dist?: string;
  environment?: string;
  slowScreenMs?: number;
  slowApiMs?: number;
  slowImageMs?: number;
  /** Share of sessions in which a kind is recorded: `{ frames: 0.1 }`. */
  sampleRates?: Readonly<Record<string, number>>;
  logLevel?: Level;
  capBytes?: number;
  maxAgeMs?: number;
  /** Hosts that receive trace headers: `api.example.com`, `*.example.com`. */
  traceTargets?: readonly string[];
  traceStyles?: readonly ('w3c' | 'sentry' | 'datadog')[];
  recordedHeaders?: readonly string[];
  sessions?: boolean;
  sessionBackgroundMs?: number;
  maskUser?: boolean;
  maskIp?: boolean;
}

/** Switches of what is recorded without a call. All are on by default. */
export interface InstrumentationSettings {
  errors?: boolean;
  rejections?: boolean;
  network?: boolean;
  screens?: boolean;
  interactions?: boolean;
  longTasks?: boolean;
  appStart?: boolean;
  hangs?: boolean;
  exits?: boolean;
  frames?: boolean;
  breadcrumbConsole?: boolean;
  breadcrumbLifecycle?: boolean;
  breadcrumbNavigation?: boolean;
  breadcrumbNetwork?: boolean;
  breadcrumbTouch?: boolean;
}

export interface Config extends EngineSettings, InstrumentationSettings, Destinations {
  /** What the user has agreed to, until `setConsent` is called for the first time. `pending` keeps events and sends none. */
  consent: Readonly<Record<Purpose, Consent>>;
  /** False: nothing is recorded and nothing is opened. */
  enabled?: boolean;
  /** Whether lines for developers are printed. Default: `__DEV__`. */
  debug?: boolean;
  /** Whether the engine answers the inspector, and `startInspector()` and `<RezInspector/>` show it. Default: `__DEV__`. */
  inspector?: boolean;
  /**
   * Test mode, for builds of testers and UI tests: each event is sent at once, and no wait of the engine's own choice is longer than a
   * second. Default: false. `inspector` is then true by default.
   */
  testMode?: boolean;
  /**
   * In test mode: the number from which the ids of installation, runs and sessions are made, so that a test that begins with an empty
   * folder sees the same ones each time.
   */
  testSeed?: number;
  /**
   * Signals that end the process, such as `SIGSEGV`, become a crash at the next start. For native code; errors of JavaScript are
   * recorded without it. Default: false. On Android; on iOS it has no effect yet.
   */
  nativeCrashes?: boolean;
  /**
   * What is recorded of a run that ended without a crash and without `close`. Default: `ignored` while a debugger is attached;
   * `await_report` if `exits` is on and the system reports ends (Android from API 30 on, iOS from 15 on); else `recorded`.
   */
  uncleanExits?: 'recorded' | 'await_report' | 'ignored';
  /** Facts about device and app, as `docs/guide/device.md` names them. The native layer adds what it knows. */
  facts?: Readonly<Record<string, unknown>>;
  /** Changes an event before it is recorded; null drops it. One that throws drops it too. */
  beforeSend?: (event: EventItem, hint: EventHint) => EventItem | null | undefined;
  beforeBreadcrumb?: (breadcrumb: Breadcrumb) => Breadcrumb | null | undefined;
}

/** Which member of a destination says that the team uses it. */
const NEEDS: Record<string, readonly string[]> = {
  rez: ['endpoint', 'key'],
  sentry: ['dsn'],
  datadog: ['applicationId', 'key'],
  mixpanel: ['key'],
  ga4: ['key'],
  otlp: [],
};

/** The hooks that are functions. Anything else is no hook. */
export function hooksOf({ beforeSend, beforeBreadcrumb }: Pick<Config, 'beforeSend' | 'beforeBreadcrumb'>): Hooks {
  return {
    ...(typeof beforeSend === 'function' && { event: beforeSend }),
    ...(typeof beforeBreadcrumb === 'function' && { breadcrumb: beforeBreadcrumb }),
  };
}

/** The settings record without destinations. */
export function engineSettings(config: Config): Record<string, unknown> {
  const { consent, enabled, debug, inspector, facts, beforeSend, beforeBreadcrumb, destinations, ...rest } = config;
  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined && !(name in NEEDS)) settings[name] = value;
  }
  settings.consentMonitoring = consent?.monitoring ?? 'pending';
  settings.consentAnalytics = consent?.analytics ?? 'pending';
  if (debug !== undefined) settings.debug = debug;
  // By default the engine asks its own `debug`, which a debug build of the bundle does not set.
  const inspects = inspector ?? (config.testMode === true || isDevelopment() || undefined);
  if (inspects !== undefined) settings.inspector = inspects;
  return settings;
}

/** The destinations whose keys are there, and a sentence for each that lacks one. */
export function destinationSettings(config: Destinations): { known: Destination[]; problems: string[] } {
  const known: Destination[] = [];
  const problems: string[] = [];
  const add = (name: string, kind: string, settings: Record<string, unknown>) => {
    const missing = (NEEDS[kind] ?? []).filter((member) => !settings[member]);
    if (missing.length > 0) problems.push(`${name} is off: \`${missing.join('` and `')}\` is missing`);
    else known.push({ ...settings, name, kind } as Destination);
  };
  for (const kind of Object.keys(NEEDS) as (keyof Destinations)[]) {
    const settings = config[kind] as Record<string, unknown> | undefined;
    if (settings) add(kind, kind, settings);
  }
  for (const { name, kind, ...settings } of config.destinations ?? []) add(name, kind, settings);
  return { known, problems };
}
