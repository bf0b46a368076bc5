/** An Express app of each supported version, and what it logs. */
import { createServer } from 'node:http';
import express5 from 'express';
import express4 from 'express4';
import { setLogger } from '../src/index';
import { listen } from './stand-in';

export const versions = [
  ['4', express4 as unknown as typeof express5],
  ['5', express5],
] as const;

export interface Line {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** Forgets a state of the package, which lives as long as the process: a new process of the app has none. */
export function forget(name: string): void {
  const all = globalThis as unknown as Record<symbol, Record<string, object> | undefined>;
  delete all[Symbol.for('app.rez.monitor-node')]?.[name];
}

/** The lines of the log from now on. */
export function logged(): Line[] {
  forget('said');
  const lines: Line[] = [];
  const method = (level: string) => (message: string, fields: Record<string, unknown>) => {
    lines.push({ level, message, fields: fields ?? {} });
  };
  setLogger({ debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') });
  return lines;
}

/** Serves an app on loopback. */
export async function serve(app: ReturnType<typeof express5>): Promise<string> {
  return listen(createServer(app));
}
