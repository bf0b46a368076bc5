// An app that ends in order. With `LISTENS` it has its own listener for the signal too, and ends with its own code.
import express from 'express';
import { gracefulShutdown, init } from '../../lib/index.js';
import { serve } from '../otel-app.mjs';

init();
const server = serve(express);
// Node.js closes no connection because it is idle.
server.keepAliveTimeout = 0;
gracefulShutdown(server);
if (process.env.LISTENS) {
  process.on('SIGTERM', () => {
    // The app waits for what it has, and for the engine, as the guide's own code does.
    server.on('close', async () => {
      const { close } = await import('../../lib/index.js');
      await close();
      process.exit(7);
    });
  });
}
