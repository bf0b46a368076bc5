/**
 * Starts the shop's API with what it needs: Redis, a server of MongoDB's protocol and a Collector. `cargo xtask api` calls it.
 * Everything ends with it; the data is in a folder that is removed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startServices } from './services.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'rez-shop-'));
const services = await startServices(folder);
for (const name of services.missing) console.log(`missing: ${name}`);
console.log(`spans, logs and metrics: ${services.traces}`);
const api = spawn(
  process.execPath,
  ['--import', '@rez/monitor-node/register', path.join(import.meta.dirname, 'server.mjs')],
  {
    cwd: path.join(import.meta.dirname, '..'),
    env: {
      REZ_FOLDER: path.join(folder, 'queue'),
      REZ_SHOP_KEY: 'shop-write-key',
      ...process.env,
      ...services.variables,
    },
    stdio: 'inherit',
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => api.kill(signal));
api.on('exit', async (code) => {
  await services.stop();
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = code ?? 0;
});
