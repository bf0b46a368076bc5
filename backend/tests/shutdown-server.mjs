// A server that ends in order, in a process of its own, because a signal is for a process.
// Arguments: the options of gracefulShutdown as JSON, and `listens` if the app listens for SIGTERM too.
import { createServer } from 'node:http';
import { captureException, gracefulShutdown, healthRouter, init } from '../lib/index.js';

const [options = '{}', listens] = process.argv.slice(2);
init();
const health = healthRouter();
const server = createServer((request, response) => {
  health(request, response, () => {
    if (request.url === '/') return response.end('quick');
    // Its head says that the connection is kept, before anybody knows of the signal.
    if (request.url === '/stream') response.write('begun, ');
    captureException(new Error('in the last request'));
    whenTold('answer', () => response.end('ended'));
    return process.send('arrived');
  });
});
// Node.js closes no connection because it is idle.
server.keepAliveTimeout = 0;
const given = JSON.parse(options);
// The test can end the delay: a clock would end it between two of its requests on a busy machine.
const { setTimeout: timer } = globalThis;
globalThis.setTimeout = (work, ms, ...rest) => {
  const timeout = timer(work, ms, ...rest);
  if (ms === given.readyDelayMs) {
    whenTold('the delay is over', () => {
      clearTimeout(timeout);
      work();
    });
  }
  return timeout;
};
gracefulShutdown(server, given);
if (listens) {
  process.on('SIGTERM', () => process.send('told'));
  // What the app does at the end, in its own time.
  whenTold('end', () => process.exit(7));
}
server.listen(0, '127.0.0.1', () => process.send(server.address().port));

/** Does something once when the test says so. */
function whenTold(text, work) {
  process.on('message', function hear(message) {
    if (message !== text) return;
    process.off('message', hear);
    work();
  });
}
