/** The agents as the guide installs them: New Relic first, then Datadog, then Sentry, each with the options of its snippet. */
const { createRequire } = require('node:module');
const path = require('node:path');
const neighbours = createRequire(path.join(__dirname, '../../neighbours/package.json'));

process.env.NEW_RELIC_HOME = __dirname;
neighbours('newrelic');
neighbours('dd-trace').init({ logInjection: true, analytics: true, runtimeMetrics: true, profiling: true });
const Sentry = neighbours('@sentry/node');
Sentry.init({ dsn: process.env.SENTRY_DSN, environment: 'production', tracesSampleRate: 1.0 });
const express = neighbours('express');

import('./shop.mjs').then(({ serve, shop }) => {
  serve(shop(express, { before() {}, after: (app) => Sentry.setupExpressErrorHandler(app) }));
});
