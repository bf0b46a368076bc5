/** The app of the telemetry tests. `express` comes from the caller, which loads it as an app does. */
import http from 'node:http';
import { captureException, close, metricsRouter } from '../lib/index.js';

/** Serves until a signal ends the process. */
export function serve(express, { pino, winston, mongoose, Redis } = {}) {
  const app = express();
  app.use(metricsRouter());
  const products = express.Router();
  products.get('/:id', (request, response) => response.json({ id: request.params.id }));
  app.use('/products', products);
  app.get('/health', (_request, response) => response.send('ok'));
  app.get('/fail/:id', () => {
    throw new Error('no such cart');
  });
  app.get('/late/:id', (_request, response) => setTimeout(() => response.status(500).end(), 20));
  app.get('/headers', (request, response) => response.json(request.headers));
  app.get('/out', async (_request, response) => {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/headers`);
    response.json(await answer.json());
  });
  // Each way to call another server, with values that must not be in a span.
  app.post('/pay/:id', async (_request, response) => {
    const { port } = server.address();
    const base = `http://127.0.0.1:${port}`;
    await fetch(`${base}/headers?apikey=PLANTED-1&page=2`);
    await got(`${base}/headers?apikey=PLANTED-2&page=2`);
    await got(new URL(`${base}/headers?page=2&apikey=PLANTED-3`));
    await got({ host: '127.0.0.1', port, path: 'http://user:PLANTED-4@127.0.0.1/headers?apikey=PLANTED-5' });
    response.json({});
  });
  const logs = [pino?.(), winston?.createLogger({ transports: [new winston.transports.Console()] })];
  app.get('/log', (_request, response) => {
    for (const log of logs) log?.info('in a request');
    response.end();
  });
  app.get('/stored', async (_request, response) => {
    const cached = await new Redis(process.env.REDIS).get('cart');
    const found = await mongoose.connection.db.collection('carts').findOne({ cached });
    response.json({ found });
  });
  app.get('/close', async (_request, response) => {
    await close(Number(process.env.CLOSE_MS ?? 5_000));
    response.end('closed');
  });
  app.use((error, _request, response, _next) => response.status(500).json({ event: captureException(error) }));
  const server = app.listen(0, '127.0.0.1', async () => {
    if (process.env.MONGODB) await mongoose.connect(process.env.MONGODB);
    console.log(`port ${server.address().port}`);
  });
  return server;
}

/** Asks by `node:http`, and reads the whole answer. */
function got(where) {
  return new Promise((resolve, reject) => {
    http.get(where, (response) => response.resume().on('end', resolve)).on('error', reject);
  });
}
