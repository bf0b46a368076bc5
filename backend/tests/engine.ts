/** The real engine, as the addon that the lane `backend` has built with the functions for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

interface Addon {
  /** The rows and runs of a queue; empty if it cannot be read. */
  testRows(folder: string): string;
}

/** A row of the queue. */
export interface Row {
  id: string;
  kind: string;
  run: number;
  wall_ms: number;
  json: Record<string, unknown>;
}

const file = process.env.REZ_NODE_ADDON;
if (!file) throw new Error('REZ_NODE_ADDON is not set: run `cargo xtask test --lane backend`');
export const addonFile: string = file;
const addon = createRequire(import.meta.url)(file) as Addon;

/** The rows of a queue. What waits in the ring is not among them: call `client().persist` or `close` before. */
export function rowsOf(folder: string): Row[] {
  return (JSON.parse(addon.testRows(folder)) as { rows: Row[] }).rows;
}

const folders: string[] = [];

/** A folder that is removed after the tests of a file. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rez-backend-'));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
