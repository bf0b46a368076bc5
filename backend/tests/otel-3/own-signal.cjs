// The app has its own listener, which closes the server. Then it ends with its own code, or by the signal as it would without a listener.
const express = require('express');
const { serve } = require('../otel-app.mjs');

const server = serve(express);
const end = (signal) => {
  server.close(() => {
    if (!process.env.RAISES) process.exit(7);
    process.off(signal, end);
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    else console.error('the signal has another listener');
  });
};
process.on('SIGTERM', end);
// What keeps a server running: a connection to a database.
setInterval(() => undefined, 60_000);
