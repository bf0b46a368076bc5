/**
 * The health check of the API's container: `node healthcheck.mjs [--kill]`. Exit code 0: healthy, 1: not healthy.
 *
 * Docker restarts a container that has ended, and leaves one alone that is unhealthy. So with `--kill` this program ends an API that
 * has answered since its start, and then gives no answer three times. One that is still starting is left alone. One that answers 503
 * says that a database is down, which a restart does not mend: that is for the alerts.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const URL_OF_API = process.env.REZ_HEALTH_URL ?? 'http://127.0.0.1:5001/api/health';
const WAIT_MS = 5000;
const MOST_FAILURES = 3;

/** How often the API gave no answer since its last one. /tmp is empty after a restart: without the file it has not answered yet. */
const COUNT = path.join(os.tmpdir(), 'rez-health-failures');

/** One byte, in place: a /tmp that is full after the first answer takes it too. */
function keep(count) {
  const file = fs.openSync(COUNT, fs.existsSync(COUNT) ? 'r+' : 'w');
  fs.writeSync(file, String(count), 0);
  fs.closeSync(file);
}

async function answer() {
  const response = await fetch(URL_OF_API, { signal: AbortSignal.timeout(WAIT_MS) });
  console.log(`${URL_OF_API}: ${response.status}`);
  process.exitCode = response.ok ? 0 : 1;
}

function noAnswer(error) {
  const why = `${URL_OF_API}: no answer (${error.cause?.code ?? error.name})`;
  process.exitCode = 1;
  if (!fs.existsSync(COUNT)) {
    console.log(`${why}, and none since the start`);
    return;
  }
  const count = Number(fs.readFileSync(COUNT, 'utf8')) + 1;
  console.log(`${why}, ${count} of ${MOST_FAILURES}`);
  keep(count % MOST_FAILURES);
  // Every process of the container but process 1 and this one. SIGTERM would not end an API whose event loop hangs.
  // Without the option, for example outside a container, "every process" is every process of the machine.
  if (count >= MOST_FAILURES && process.argv.includes('--kill')) process.kill(-1, 'SIGKILL');
}

try {
  await answer();
  keep(0);
} catch (error) {
  noAnswer(error);
}
