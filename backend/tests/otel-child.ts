/** A server in a process of its own, which prints its port as the first line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { newFolder } from './engine';
import { until } from './waiting';

/** The entry point that `node --import` gets. It is built by `npx tsdown`. */
export const registerFile = join(import.meta.dirname, '../lib/register.js');

/** A running server. */
export interface Served {
  url: string;
  folder: string;
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  /** The exit code and the signal. */
  ended: Promise<[number | null, NodeJS.Signals | null]>;
}

const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs a file of the folder `tests` with arguments for node, and waits until it listens. */
export async function serve(
  file: string,
  nodeArguments: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<Served> {
  const path = join(import.meta.dirname, file);
  const folder = newFolder();
  const child = spawn(process.execPath, [...nodeArguments, path], {
    // An app runs in its own folder, and knows nothing of the test runner.
    cwd: join(path, '..'),
    env: { ...process.env, NODE_ENV: 'production', VITEST: '', REZ_FOLDER: folder, ...environment },
  });
  running.add(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text;
  });
  const ended = once(child, 'close') as Served['ended'];
  ended.then(() => running.delete(child));
  await until(() => output.stdout.includes('\n') || child.exitCode !== null);
  const port = /^port (\d+)$/m.exec(output.stdout)?.[1];
  if (port === undefined) throw new Error(`the app does not listen: ${output.stdout} ${output.stderr}`);
  return { url: `http://127.0.0.1:${port}`, folder, child, output, ended };
}
