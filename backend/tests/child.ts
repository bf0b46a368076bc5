/** A process of its own that has the built package, as an app has it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const lib = join(import.meta.dirname, '../lib');

export interface Ended {
  /** The signal that ended it, or its exit code. */
  by: NodeJS.Signals | number | null;
  stdout: string;
  stderr: string;
}

/** Runs a script, an ES module in which `rez` is the package, to its end. */
export async function run(script: string, environment: NodeJS.ProcessEnv = {}, cwd?: string): Promise<Ended> {
  const source = `const rez = await import(${JSON.stringify(join(lib, 'index.js'))});\n${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, ...environment },
    ...(cwd !== undefined && { cwd }),
  });
  const ended: Ended = { by: null, stdout: '', stderr: '' };
  child.stdout.on('data', (part) => {
    ended.stdout += part;
  });
  child.stderr.on('data', (part) => {
    ended.stderr += part;
  });
  await new Promise<void>((resolve) =>
    child.on('close', (code, signal) => {
      ended.by = signal ?? code;
      resolve();
    }),
  );
  return ended;
}
