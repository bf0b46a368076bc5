// A server in a process of its own, over the built package. It kills itself where its environment says.
import { createServer } from 'node:http';
import mongoose from 'mongoose';
import { mongoSink, rezIngest } from '../../lib/ingest.js';
import { sqliteSink } from './sqlite-sink.ts';

const { REZ_TEST_STORE = '', REZ_TEST_PORT = '0', REZ_TEST_KILL } = process.env;

const sink = REZ_TEST_STORE.startsWith('mongodb:')
  ? mongoSink(await mongoose.createConnection(REZ_TEST_STORE).asPromise())
  : sqliteSink(REZ_TEST_STORE);

const reached = (place) => {
  if (place === REZ_TEST_KILL) process.kill(process.pid, 'SIGKILL');
};

const watched = {
  ...sink,
  async store(rows, delivery) {
    reached('before the rows are stored');
    const stored = await sink.store(rows, delivery);
    reached('after the rows are stored');
    return stored;
  },
  answers: {
    find: (project, key) => sink.answers.find(project, key),
    async keep(project, key, answer) {
      const kept = await sink.answers.keep(project, key, answer);
      reached('after the answer is stored');
      return kept;
    },
  },
};

const server = createServer(rezIngest({ keys: { 'wk-secret-4711': 'shop' }, sink: watched }));
server.listen(Number(REZ_TEST_PORT), '127.0.0.1', () => console.log(server.address().port));
