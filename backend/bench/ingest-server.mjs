// The server that `ingest.mjs` measures.
import express from 'express';
import mongoose from 'mongoose';
import { functionSink, mongoSink, otlpSink, rezIngest } from '../lib/ingest.js';

const { BENCH_SINK, BENCH_PORT, BENCH_KEY, BENCH_URL } = process.env;

async function sink() {
  if (BENCH_SINK === 'mongo') return mongoSink(await mongoose.createConnection(BENCH_URL).asPromise());
  if (BENCH_SINK === 'otlp') return otlpSink({ endpoint: BENCH_URL });
  return functionSink(async () => undefined);
}

const app = express();
app.get('/usage', (_req, res) => {
  const { user, system } = process.cpuUsage();
  res.json({ cpuMicroseconds: user + system, rss: process.memoryUsage.rss() });
});
if (BENCH_SINK === 'floor') {
  app.post('/v1/batch', express.json({ limit: '2mb' }), (req, res) => {
    res.json({ batch_id: req.body.batch_id, accepted: req.body.events.length, duplicate: 0, rejected: [] });
  });
} else {
  app.use(rezIngest({ keys: { [BENCH_KEY]: 'bench' }, sink: await sink() }));
}
app.listen(Number(BENCH_PORT), '127.0.0.1');
