/** A running `rezq collect --open`, and clients that send to it. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

const target = process.env.CARGO_TARGET_DIR ?? path.resolve(import.meta.dirname, '../../target');
const program = path.resolve(process.env.REZQ ?? path.join(target, 'debug/rezq'));

/** `api`: the address for apps. `page`: that of the page. `send(install, events)` sends a batch. `stop()` also removes the file. */
export async function startCollector(plan) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-collect-'));
  const options = ['--db', path.join(folder, 'collector.sqlite')];
  if (plan !== undefined) {
    fs.writeFileSync(path.join(folder, 'plan.json'), JSON.stringify(plan));
    options.push('--plan', path.join(folder, 'plan.json'));
  }
  // Without a display, the address is only printed.
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...env } = process.env;
  const child = spawn(program, ['collect', '--open', ...options], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const api = (await lines.next()).value;
  await lines.next();
  const page = (await lines.next()).value.replace('page ', '');
  let batches = 0;
  return {
    api,
    page,
    async send(install, events) {
      batches += 1;
      const batch = {
        v: 1,
        batch_id: `${install}-${batches}`,
        install,
        epoch: 1,
        boot: 'b',
        sdk: { name: 'test', version: '1' },
        events,
      };
      const headers = { 'content-type': 'application/json', 'idempotency-key': batch.batch_id };
      const answer = await fetch(`${api}/v1/batch`, { method: 'POST', headers, body: JSON.stringify(batch) });
      if (answer.status !== 200) throw new Error(await answer.text());
      return answer.json();
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

let numbers = 0;

/** An event as an app sends it. */
export function event(kind, fields, at = Date.now()) {
  numbers += 1;
  const id = `019f0c1e-7c1e-7a53-9b0e-${numbers.toString(16).padStart(12, '0')}`;
  return { id, seq: 2 ** 40 + numbers, kind, ts: new Date(at).toISOString(), ...fields };
}
