/**
 * The health check of the API's container: `node healthcheck.mjs`. Exit code 0: healthy, 1: not healthy.
 *
 * Docker restarts a container that has ended, and leaves one alone that is unhealthy. So this program ends an API that has given no
 * answer three times. One that answers 503 says that a database is down, which a restart does not mend: that is for the alerts.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const URL_OF_API = process.env.REZ_HEALTH_URL ?? 'http://127.0.0.1:5001/api/health';
const WAIT_MS = 5000;
const MOST_FAILURES = 3;

/** How often the API gave no answer, in a row. It is in /tmp, which is empty after a restart. */
const COUNT = path.join(os.tmpdir(), 'rez-health-failures');

const failures = () => {
  try {
    return Number.parseInt(fs.readFileSync(COUNT, 'utf8'), 10) || 0;
  } catch {
    return 0;
  }
};

try {
  const response = await fetch(URL_OF_API, { signal: AbortSignal.timeout(WAIT_MS) });
  fs.rmSync(COUNT, { force: true });
  console.log(`${URL_OF_API}: ${response.status}`);
  process.exitCode = response.ok ? 0 : 1;
} catch (error) {
  const count = failures() + 1;
  fs.writeFileSync(COUNT, String(count));
  console.log(`${URL_OF_API}: no answer (${error.cause?.code ?? error.name}), ${count} of ${MOST_FAILURES}`);
  process.exitCode = 1;
  if (count >= MOST_FAILURES) {
    fs.rmSync(COUNT, { force: true });
    // Every process of the container but process 1 and this one. SIGTERM would not end an API whose event loop hangs.
    process.kill(-1, 'SIGKILL');
  }
}
