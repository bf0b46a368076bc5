/**
 * OpenTelemetry's SDK with nothing of ours, and the instrumentations that `@rez/monitor-node/register` starts: what it costs by itself.
 * Loaded before a server: `node --import ./bench/servers/otel.mjs`.
 */
import { createRequire, register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { INSTRUMENTATIONS } from '../../src/otel/policy.ts';

const { resolve } = createRequire(import.meta.url);
register(
  '@opentelemetry/instrumentation/hook.mjs',
  pathToFileURL(resolve('@opentelemetry/auto-instrumentations-node')),
);
Object.assign(process.env, {
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: INSTRUMENTATIONS.join(','),
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
});
const express = { ignoreLayersType: ['middleware', 'router', 'request_handler'] };
const instrumentations = getNodeAutoInstrumentations({ '@opentelemetry/instrumentation-express': express });
new NodeSDK({ instrumentations }).start();
