/** Everything on: OpenTelemetry, metrics, the request log, health, errors. Run with `--import @rez/monitor-node/register`. */
import {
  errorHandler,
  healthRouter,
  init,
  initSentry,
  metricsHandler,
  notFoundHandler,
  performanceMiddleware,
  sentryErrorHandler,
} from '@rez/monitor-node';
import express from 'express';
import { pino } from 'pino';
import { serve, shop } from './shop.mjs';

init({ app: 'bench', release: 'bench@1', logger: pino(pino.destination('/dev/null')) });
serve(
  shop(express, {
    before(app) {
      initSentry(app);
      app.get('/metrics', metricsHandler());
      app.use(healthRouter());
      app.use(performanceMiddleware);
    },
    after(app) {
      app.use(notFoundHandler);
      sentryErrorHandler(app);
      app.use(errorHandler);
    },
  }),
);
