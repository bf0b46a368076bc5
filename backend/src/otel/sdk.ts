/** OpenTelemetry's SDK, as the app has installed it: line 2 or line 3. */
import { loadPeer, requireWith } from '../core/peer';
import { isProbe } from '../core/probes';
import { incomingAddress, outgoingAddress, undiciAddress } from './addresses';
import { type About, variablesOf, withVariables } from './environment';
import { hookImports } from './hooks';

/** What both lines of the SDK have. */
export interface Sdk {
  start(): void;
  shutdown(): Promise<void>;
}

interface SdkPackage {
  NodeSDK: new (configuration: { instrumentations: unknown[] }) => Sdk;
}

interface InstrumentationsPackage {
  getNodeAutoInstrumentations(configuration: Readonly<Record<string, object>>): unknown[];
}

const INSTRUMENTATIONS = '@opentelemetry/auto-instrumentations-node';
const LOST = 'there are no traces and no OTLP metrics; errors, alerts and slow requests are recorded as before';

/** Starts the SDK. Undefined: a package is missing, which is a line of the log. Throws what the packages throw. */
export function startSdk(about: About): Sdk | undefined {
  const { NodeSDK } = loadPeer<SdkPackage>('@opentelemetry/sdk-node', LOST) ?? {};
  if (!NodeSDK) return undefined;
  const auto = loadPeer<InstrumentationsPackage>(INSTRUMENTATIONS, LOST);
  const load = auto && requireWith(INSTRUMENTATIONS);
  if (!auto || !load) return undefined;
  hookImports(load);
  return withVariables(variablesOf(about, process.env), () => {
    const sdk = new NodeSDK({ instrumentations: auto.getNodeAutoInstrumentations(configuration()) });
    sdk.start();
    return sdk;
  });
}

function configuration(): Record<string, object> {
  return {
    '@opentelemetry/instrumentation-http': {
      ignoreIncomingRequestHook: isProbe,
      startIncomingSpanHook: incomingAddress,
      startOutgoingSpanHook: outgoingAddress,
    },
    '@opentelemetry/instrumentation-undici': { startSpanHook: undiciAddress },
    // One span for the request, with its route. Those of middleware and handlers cost more than they tell.
    '@opentelemetry/instrumentation-express': { ignoreLayersType: ['middleware', 'router', 'request_handler'] },
    '@opentelemetry/instrumentation-pino': { disableLogSending: true },
    '@opentelemetry/instrumentation-winston': { disableLogSending: true },
  };
}
