/** The same server with one agent: `node app.cjs <agent>`. Prints its port to the parent; the agents send to `SINK`. */
const { createRequire } = require('node:module');
const path = require('node:path');
const own = createRequire(path.join(__dirname, '../package.json'));

const { SINK = '' } = process.env;
const DSN = `${SINK.replace('://', '://key@')}/1`;

const sentry = (name) => ({
  start() {
    const Sentry = require(name);
    Sentry.init({ dsn: DSN, release: 'shop@2.4.1', environment: 'production', tracesSampleRate: 1.0 });
    return (app) => Sentry.setupExpressErrorHandler(app);
  },
});

const agents = {
  '@sentry/node 11': sentry('@sentry/node'),
  '@sentry/node 10': sentry('sentry-node-10'),
  'dd-trace': {
    start() {
      require('dd-trace').init({ url: SINK, service: 'shop', version: '2.4.1', env: 'production', flushInterval: 100 });
      return () => undefined;
    },
  },
  '@rez/monitor-node': {
    async start() {
      const rez = own('@rez/monitor-node');
      rez.init({ app: 'shop', release: 'shop@2.4.1', environment: 'production' });
      rez.initSentry(undefined, { dsn: DSN });
      return (app) => rez.sentryErrorHandler(app);
    },
  },
};

async function main() {
  const onErrors = await agents[process.argv[2]].start();
  const express = require('express');
  const app = express();
  app.use(express.json());
  app.post('/carts/:id/pay', (request) => {
    request.body.card.number.toUpperCase();
  });
  onErrors(app);
  const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.on('disconnect', () => process.exit(0));
}

main();
