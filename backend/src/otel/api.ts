/** The API of OpenTelemetry in the app's copy: the provider, the active span, the diagnostics. */
import type * as Api from '@opentelemetry/api';
import type { Trace } from '../../../react-native/src/core/items';
import { setActiveTrace } from '../core/context';
import { warnOnce } from '../core/logger';

export type OtelApi = typeof Api;

/** What providers of the SDK have besides the API. */
interface Flushable {
  forceFlush?: () => Promise<void>;
}

/** The provider that the app, or a tool of it, has registered. Undefined: nobody has. */
export function registeredProvider(api: OtelApi): Flushable | undefined {
  const found = behind(api.trace.getTracerProvider());
  // What a proxy without a provider answers with is one object in each copy of the API.
  const none = behind(new api.ProxyTracerProvider());
  return found === none ? undefined : (found as Flushable);
}

/** Gives the ids of the active span to everything that is recorded, and to the lines of the log. */
export function followActiveSpan({ trace, isSpanContextValid, TraceFlags }: OtelApi): void {
  setActiveTrace((): Trace | undefined => {
    const context = trace.getActiveSpan()?.spanContext();
    if (context === undefined || !isSpanContextValid(context)) return undefined;
    const sampled = (context.traceFlags & TraceFlags.SAMPLED) !== 0;
    return { trace_id: context.traceId, span_id: context.spanId, sampled };
  });
}

/** Says what the SDK reports, each sentence once: a Collector that is down, a second provider. */
export function followDiagnostics({ diag, DiagLogLevel }: OtelApi): void {
  const say = (message: unknown) => warnOnce(`OpenTelemetry: ${sentence(message)}`);
  const nothing = () => undefined;
  const options = { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true };
  diag.setLogger({ error: say, warn: say, info: nothing, debug: nothing, verbose: nothing }, options);
}

/** The SDK reports errors as JSON, with a stack that names the same trouble in many ways. */
function sentence(message: unknown): string {
  const text = String(message);
  if (!text.startsWith('{')) return text.split('\n', 1)[0] ?? '';
  try {
    const { name, message: why, code } = JSON.parse(text) as Record<string, unknown>;
    const what = [code ?? name ?? 'error', why].filter((part) => typeof part === 'string' && part !== '');
    return `spans and metrics are not delivered (${what.join(': ')}). Check OTEL_EXPORTER_OTLP_ENDPOINT; the app is not affected.`;
  } catch {
    return text.split('\n', 1)[0] ?? '';
  }
}

function behind(provider: Api.TracerProvider): Api.TracerProvider {
  const { getDelegate } = provider as { getDelegate?: () => Api.TracerProvider };
  return getDelegate?.call(provider) ?? provider;
}
