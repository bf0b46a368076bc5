/** A running app with the inspector's page: the example `inspected_shop`. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const target = process.env.CARGO_TARGET_DIR ?? path.resolve(import.meta.dirname, '../../target');
export const program = path.resolve(
  process.env.REZ_INSPECTED_SHOP ?? path.join(target, 'debug/examples/inspected_shop'),
);

/** Why the app cannot be started; false if it can. */
export function missing() {
  return (
    !fs.existsSync(program) &&
    'no inspected_shop: cargo build --package rez-inspect --example inspected_shop, or set REZ_INSPECTED_SHOP'
  );
}

/**
 * Starts the app. `url`: the address of the page. `tell(command)` resolves when the app has done it. `file(name)`: a path in the
 * folder of the app. `kill()` ends the app at once, `stop()` also removes its folder.
 */
export async function startApp() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-page-'));
  const child = spawn(program, [folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the app has ended');
    return value;
  };
  const { url } = JSON.parse(await next());
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    url,
    file: (name) => path.join(folder, name),
    async tell(command) {
      child.stdin.write(`${command}\n`);
      const answer = await next();
      if (answer !== 'done') throw new Error(answer);
    },
    kill,
    async stop() {
      await kill();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
