/** Starts OpenTelemetry, or attaches to the provider that the app has. One per process, whichever copy of the package starts it. */
import { guarded, recordOf } from '../../../react-native/src/core/guard';
import { warnOnce } from '../core/logger';
import { identity, onClose } from '../core/monitor';
import { loadPeer } from '../core/peer';
import { shared } from '../core/shared';
import { followActiveSpan, followDiagnostics, type OtelApi, registeredProvider } from './api';
import { flushAtEnd } from './end';
import type { About } from './environment';
import { type Sdk, startSdk } from './sdk';

/** Every member is optional. What is left out comes from `init`, if that was called before, else from the environment. */
export interface TelemetryOptions {
  /** Becomes `service.name`. */
  app?: string;
  /** `rezapp-api@2.4.1`; the part behind `@` becomes `service.version`. */
  release?: string;
  /** Becomes `deployment.environment.name`. */
  environment?: string;
  /**
   * Share of the traces that begin here, 0 to 1. A trace that an app began keeps the app's decision. Default: `OTEL_TRACES_SAMPLER`, which
   * also wins over this option; without it all.
   */
  tracesSampleRate?: number;
  /** `attach` never starts the SDK: for an app that starts its own later. Default: `REZ_OTEL`, else `start`. */
  mode?: 'start' | 'attach';
}

/** Whose provider makes the spans: ours, one that was there before, or nobody's. */
export type Telemetry = 'started' | 'attached' | 'off';

interface State {
  telemetry: Telemetry | undefined;
  api: OtelApi | undefined;
  sdk: Sdk | undefined;
}

const state = () => shared<State>('otel', () => ({ telemetry: undefined, api: undefined, sdk: undefined }));

/**
 * Starts OpenTelemetry's SDK with the instrumentations of `docs/guide/backend-telemetry.md`, or attaches to the provider that is
 * registered already. Later calls change nothing and return the same answer.
 *
 * Call it before the app loads express, mongoose or ioredis: `node --import @rez/monitor-node/register` does. Never throws; what is
 * missing is a line of the log.
 */
export function startTelemetry(options: TelemetryOptions = {}): Telemetry {
  const known = state();
  known.telemetry ??= guarded('off', () => start(known, recordOf(options)));
  return known.telemetry;
}

/** Sends the spans that have ended. Does not wait longer than the SDK does: ten seconds, or `OTEL_EXPORTER_OTLP_TIMEOUT`. */
export async function flushTelemetry(): Promise<void> {
  const { api } = state();
  // A provider of the app can be registered at any time.
  await (api && registeredProvider(api)?.forceFlush?.());
}

/** Sends the spans that have ended, and ends the SDK if it is ours. */
export async function stopTelemetry(): Promise<void> {
  const known = state();
  const { sdk } = known;
  known.sdk = undefined;
  await flushTelemetry().finally(() => sdk?.shutdown());
}

function start(known: State, options: TelemetryOptions): Telemetry {
  const api = loadPeer<OtelApi>('@opentelemetry/api', 'there are no traces');
  if (!api) return 'off';
  known.api = api;
  followActiveSpan(api);
  onClose(stopTelemetry);
  if (registeredProvider(api)) return 'attached';
  const mode = options.mode ?? process.env.REZ_OTEL;
  if (mode === 'attach' || process.env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return 'off';
  // `OTEL_LOG_LEVEL` asks for the SDK's own log.
  if (!process.env.OTEL_LOG_LEVEL) followDiagnostics(api);
  try {
    known.sdk = startSdk(aboutOf(options));
  } catch (error) {
    warnOnce(`OpenTelemetry cannot be started (${String(error).split('\n', 1)[0]}): there are no traces`);
  }
  if (!known.sdk) return 'off';
  flushAtEnd(flushTelemetry, stopTelemetry);
  return 'started';
}

function aboutOf({ app, release, environment, tracesSampleRate: rate }: TelemetryOptions): About {
  const known = identity();
  const stage = environment || known.environment;
  const isShare = typeof rate === 'number' && rate >= 0 && rate <= 1;
  if (rate != null && !isShare) warnOnce(`tracesSampleRate: not a number from 0 to 1: ${rate}; it is left out`);
  return {
    app: app || known.app,
    release: release || known.release,
    ...(stage && { environment: stage }),
    ...(isShare && { tracesSampleRate: rate }),
  };
}
