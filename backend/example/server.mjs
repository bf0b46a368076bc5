/**
 * Starts the shop's API: `node --import @rez/monitor-node/register example/server.mjs`, with `MONGODB_URI`, `REDIS_URL` and `REZ_APP` set.
 *
 * The name is a variable because OpenTelemetry starts before this file.
 */
import {
  gracefulShutdown,
  init,
  setupDatabaseMonitoring,
  setupQueryMonitoring,
  trackWebSockets,
} from '@rez/monitor-node';
import { Redis } from 'ioredis';
import mongoose from 'mongoose';
import { pino } from 'pino';
import { fillCatalogue, makeApp } from './app.mjs';

const {
  MONGODB_URI = 'mongodb://127.0.0.1:27017/shop',
  REDIS_URL = 'redis://127.0.0.1:6379',
  OTEL_EXPORTER_OTLP_ENDPOINT,
  PORT = '4000',
  REZ_SHOP_KEY = '',
} = process.env;

const logger = pino({ level: process.env.LOG_LEVEL ?? 'info' });
// OpenTelemetry sends the spans. Errors, messages and alerts come from the queue, which a killed process does not lose.
const otlp = { name: 'otlp', kind: 'otlp', endpoint: OTEL_EXPORTER_OTLP_ENDPOINT, signals: ['logs'] };
init({
  release: 'rez-shop-api@1.0.0',
  logger,
  destinations: OTEL_EXPORTER_OTLP_ENDPOINT ? [otlp] : [],
});

const redis = new Redis(REDIS_URL);
redis.on('error', (error) => logger.error({ error: error.message }, 'Redis connection error'));
setupQueryMonitoring(mongoose);
await mongoose.connect(MONGODB_URI);
setupDatabaseMonitoring(mongoose);
await fillCatalogue();

const server = makeApp({ redis, writeKey: REZ_SHOP_KEY }).listen(Number(PORT), '127.0.0.1', () => {
  const { port } = server.address();
  logger.info(`the shop's API listens on http://127.0.0.1:${port}`);
  process.send?.({ port });
});
trackWebSockets(server);
gracefulShutdown(server);
