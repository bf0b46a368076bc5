/** The contract vectors: files of `tests/contract`, whose README defines them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(__dirname, '../../../tests/contract');

/** A call of a vector: its verb is `do`. */
export type Call = Readonly<Record<string, unknown>>;

export interface Vector {
  name: string;
  /** What it shows, in one sentence. */
  what: string;
  config?: Readonly<Record<string, unknown>>;
  /** Options by destination. */
  destinations?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** How many rows stay in the queue, by destination. */
  kept?: Readonly<Record<string, number>>;
  calls: readonly Call[];
  /** The file. */
  text: string;
}

export interface Rows {
  rows: unknown[];
  runs: unknown[];
}

export function vectors(): Vector[] {
  return names(FOLDER).map((name) => {
    const text = readFileSync(join(FOLDER, `${name}.json`), 'utf8');
    return { ...(JSON.parse(text, sorted) as Vector), name, text };
  });
}

function names(folder: string): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return files.map((file) => file.slice(0, -'.json'.length)).sort();
}

/** The rows and runs that every language must give for a vector. */
export function expectedRows(name: string): Rows {
  return JSON.parse(readFileSync(join(FOLDER, 'expected/rows', `${name}.json`), 'utf8')) as Rows;
}

/** The vectors that have expected rows, in order. */
export function expectedNames(): string[] {
  return names(join(FOLDER, 'expected/rows'));
}

/** The verbs of the table of calls in the README. */
export function documentedVerbs(): string[] {
  const [, calls = ''] = readFileSync(join(FOLDER, 'README.md'), 'utf8').split(/^## Calls$/m);
  const cells = calls.split(/^## /m, 1)[0]?.match(/^\| `[^|]+/gm) ?? [];
  return cells
    .flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, verb = '']) => verb))
    .filter((verb) => verb !== 'do');
}

/** The members of objects in ascending order of their names, as the README asks for. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const members = Object.entries(value);
  return Object.fromEntries(members.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

/** An argument that must be a text. */
export function text(call: Call, name: string): string {
  const value = call[name];
  if (typeof value !== 'string') throw new Error(`\`${name}\` is no text in ${JSON.stringify(call)}`);
  return value;
}

/**
 * For which reasons how many calls of a vector must be refused. An engine counts at most these: a log entry below the level is counted
 * nowhere, and an event that is refused when its batch is decoded counts as lost, not as refused.
 */
export function refusals({ calls }: Vector): Record<string, number> {
  const refused: Record<string, number> = {};
  for (const call of calls) {
    if (call.refused === undefined) continue;
    const reason = text(call, 'refused');
    refused[reason] = (refused[reason] ?? 0) + 1;
  }
  return refused;
}

/** The app of every vector, as the README of the vectors says. */
export const APP = {
  app: 'rezapp',
  release: 'rezapp@2.4.1+77',
  dist: '77',
  environment: 'ci',
  os: 'Android 15',
  device: 'Pixel 9',
};
