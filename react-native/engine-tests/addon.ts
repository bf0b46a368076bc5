/** The real engine, as the addon of `bindings/node` that the lane `react-native` has built with the functions for tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Port } from '../src/native/port';

/** What the addon exports. The functions exist only with its feature `test-access`. */
export interface Addon {
  RezMonitor: new () => Port;
  /** While this is true, the core panics behind every call. */
  testPanic(panics: boolean): void;
  /** Engines opened from now on have this clock and counted ids. Null: those of the system. */
  testClock(wallMs: number | null, monoMs: number): void;
  testAdvance(ms: number): void;
  /** The rows and runs of a queue, as `expected/rows` of a contract vector; empty if it cannot be read. */
  testRows(folder: string): string;
}

function load(): Addon {
  const path = process.env.REZ_NODE_ADDON;
  if (!path) throw new Error('REZ_NODE_ADDON is not set: run `cargo xtask test --lane react-native`');
  // The require of jest would run it once per test file, which an addon does not allow.
  return createRequire(join(process.cwd(), 'addon.js'))(path) as Addon;
}

export const addon = load();

/** A row of the queue. */
export interface Row {
  id: string;
  kind: string;
  run: number;
  wall_ms: number;
  json: Record<string, unknown>;
}

/** The rows of a queue. */
export function rowsOf(folder: string): Row[] {
  return (JSON.parse(addon.testRows(folder)) as { rows: Row[] }).rows;
}

/** An engine in a folder of its own. */
export interface Opened {
  engine: Port;
  folder: string;
  /** What everything recorded so far has become. */
  rows(): Promise<Row[]>;
  runs(): Record<string, unknown>[];
}

const folders: string[] = [];
const engines: Port[] = [];

/** A folder that {@link cleanUp} removes. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rez-engine-'));
  folders.push(folder);
  return folder;
}

/** An engine that {@link cleanUp} closes. */
export function newEngine(): Port {
  const engine = new addon.RezMonitor();
  engines.push(engine);
  return engine;
}

/** Settings with both purposes granted. `more` overrides them. */
export function settings(folder: string, more: object = {}): string {
  const granted = { consentMonitoring: 'granted', consentAnalytics: 'granted' };
  return JSON.stringify({ folder, app: 'shop', release: 'shop@1.4.0+52', sessions: false, ...granted, ...more });
}

/** Opens an engine. Fails if it cannot be opened. */
export function open(more: object = {}, facts: object | null = null, folder: string = newFolder()): Opened {
  const engine = newEngine();
  const answer = JSON.parse(engine.open(settings(folder, more), facts ? JSON.stringify(facts) : ''));
  if (answer.error) throw new Error(answer.error);
  return {
    engine,
    folder,
    async rows() {
      const wrong = await engine.persist(WAIT_MS);
      if (wrong) throw new Error(wrong);
      return rowsOf(folder);
    },
    runs: () => JSON.parse(addon.testRows(folder)).runs,
  };
}

/** Longer than anything takes on a busy machine. */
export const WAIT_MS = 30_000;

/** A document of these items. */
export function batch(...items: object[]): string {
  return JSON.stringify({ v: 1, items });
}

/** Closes the engines and removes the folders of a test. */
export async function cleanUp(): Promise<void> {
  addon.testPanic(false);
  addon.testClock(null, 0);
  for (const engine of engines.splice(0)) await engine.close(WAIT_MS);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}
