/** The provider that the app has: ours attaches to it, and starts none. */
import { metrics, propagation, trace } from '@opentelemetry/api';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { activeTrace } from '../src/core/context';
import { logger, setLogMembers } from '../src/core/logger';
import { client } from '../src/core/monitor';
import { shared } from '../src/core/shared';
import { captureException, close, init, startTelemetry } from '../src/index';
import { newFolder, rowsOf } from './engine';

let folder: string;
let calls: string[];
let sdk: NodeSDK;

/** The app's own SDK, whose processor counts what it is told. */
function ownSdk(): NodeSDK {
  calls = [];
  const processor = {
    onStart: () => undefined,
    onEnd: ({ name }: { name: string }) => calls.push(name),
    forceFlush: async () => void calls.push('flushed'),
    shutdown: async () => void calls.push('shut down'),
  };
  return new NodeSDK({ spanProcessors: [processor], metricReaders: [], logRecordProcessors: [] });
}

beforeEach(() => {
  folder = newFolder();
  init({ folder });
  Object.assign(
    shared('otel', () => ({})),
    { telemetry: undefined },
  );
  sdk = ownSdk();
});

afterEach(async () => {
  await close(20_000);
  await sdk.shutdown();
  trace.disable();
  metrics.disable();
  propagation.disable();
});

test('a provider that is registered makes the spans, and gets no second one beside it', () => {
  sdk.start();
  expect(startTelemetry()).toBe('attached');
  expect(startTelemetry({ mode: 'start' })).toBe('attached');
  trace.getTracer('app').startSpan('cart').end();
  expect(calls).toEqual(['cart']);
});

test('an error inside a span of the app is a row with its trace and span', async () => {
  sdk.start();
  startTelemetry();
  const [id, context] = trace.getTracer('app').startActiveSpan('cart', (span) => {
    const event = captureException(new Error('no such cart'));
    span.end();
    return [event, span.spanContext()] as const;
  });
  expect(activeTrace()).toBeUndefined();
  expect(await client().persist(20_000)).toBe('');
  const row = rowsOf(folder).find((found) => found.id === id);
  expect(row?.json.trace).toMatchObject({ trace_id: context.traceId, span_id: context.spanId });
});

test('a line of the log has the ids of the span, beside the members that others add', () => {
  const lines: unknown[] = [];
  const write = (...line: unknown[]) => lines.push(line);
  init({ logger: { info: write, warn: write, error: write } });
  setLogMembers(() => ({ region: 'eu' }));
  sdk.start();
  startTelemetry();
  const { traceId, spanId } = trace.getTracer('app').startActiveSpan('cart', (span) => {
    logger.info('inside', { cart: 7 });
    return span.spanContext();
  });
  logger.info('outside');
  expect(lines).toEqual([
    ['inside', { region: 'eu', trace_id: traceId, span_id: spanId, cart: 7 }],
    ['outside', { region: 'eu' }],
  ]);
});

test("close flushes the app's provider, and leaves it running", async () => {
  sdk.start();
  startTelemetry();
  await close(20_000);
  trace.getTracer('app').startSpan('after').end();
  expect(calls).toEqual(['flushed', 'after']);
});

test('an app that starts its provider later asks for no other one, and its spans are followed', () => {
  expect(startTelemetry({ mode: 'attach' })).toBe('off');
  sdk.start();
  trace.getTracer('app').startActiveSpan('cart', (span) => {
    expect(activeTrace()).toEqual({ ...ids(span.spanContext()), sampled: true });
  });
});

test('OTEL_SDK_DISABLED starts nothing', () => {
  process.env.OTEL_SDK_DISABLED = 'true';
  try {
    expect(startTelemetry()).toBe('off');
  } finally {
    delete process.env.OTEL_SDK_DISABLED;
  }
});

const ids = ({ traceId, spanId }: { traceId: string; spanId: string }) => ({ trace_id: traceId, span_id: spanId });
