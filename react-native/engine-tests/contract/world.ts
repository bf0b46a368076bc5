/** An engine for one vector: a folder of its own, a clock that only `advance` moves, ids that are counted. */
import { join } from 'node:path';
import type { Client } from '../../src/core/client';
import { addon, newEngine, newFolder, WAIT_MS } from '../addon';
import { newClient } from '../client';
import { apiGuards } from './api-guards';
import { CALLS } from './calls';
import { clientGuards } from './client-guards';
import { type Guards, isGuardVerb } from './guards';
import { ITEMS, record } from './items';
import { APP, type Call, type Rows, text, type Vector } from './vector';

const WALL_MS = 1_795_400_000_000;
const MONO_MS = 1_000_000;

/** How the vectors run: with the client alone, or screens, API calls and spans by the objects of the package. */
export type Way = 'client' | 'api';

/** What the calls of a vector have become. */
export interface Played extends Rows {
  /** How many events were refused at the call, by reason. */
  refused: Record<string, number>;
}

/** Makes the calls of a vector. Fails if one of them cannot be made. */
export async function play(vector: Vector, way: Way = 'client'): Promise<Played> {
  return played(vector, way).end();
}

/** The same, and leaves the engine open. `ids`: what the client takes in the place of the ids that it makes. */
export function played(vector: Vector, way: Way = 'client', ids: ReadonlyMap<string, string> = new Map()): World {
  const world = new World(vector, way, ids);
  for (const [at, call] of vector.calls.entries()) {
    try {
      world.make(call);
    } catch (error) {
      throw new Error(`call ${at} ${JSON.stringify(call)}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return world;
}

export class World {
  readonly client: Client;
  private readonly folder = join(newFolder(), 'app');
  private readonly guards: Guards;
  private wallMs = WALL_MS;
  private monoMs = MONO_MS;
  /** The id of the event recorded before. */
  private last = '';

  constructor(vector: Vector, way: Way, ids: ReadonlyMap<string, string>) {
    addon.testClock(WALL_MS, MONO_MS);
    const clock = { wallMs: () => this.wallMs, monoMs: () => this.monoMs };
    this.client = newClient({ port: newEngine(), clock });
    this.guards = way === 'api' ? apiGuards() : clientGuards(this.client);
    const { facts, ...config } = vector.config ?? {};
    const wrong = this.client.open({ folder: this.folder, ...settings(config) }, facts as object | undefined);
    if (wrong !== '') throw new Error(wrong);
    replaceIds(this.client, ids);
  }

  make(call: Call): void {
    const verb = text(call, 'do');
    const [direct, item] = [CALLS[verb], ITEMS[verb]];
    if (verb === 'advance') this.advance(call.ms);
    else if (isGuardVerb(verb)) this.guards[verb](call);
    else if (direct !== undefined) direct(this.client, call);
    else if (item !== undefined) this.last = record(this.client, item, call, this.last) ?? this.last;
    else throw new Error(`nothing says what \`${verb}\` becomes: see items.ts`);
  }

  async end(): Promise<Played> {
    const wrong = await this.client.persist(WAIT_MS);
    if (wrong !== '') throw new Error(wrong);
    const rows = JSON.parse(addon.testRows(this.folder)) as Rows;
    return { ...rows, refused: this.refused() };
  }

  private refused(): Record<string, number> {
    const refused: Record<string, number> = {};
    const counted = this.client.status()?.status.refused as { reason: string; count: number }[];
    for (const { reason, count } of counted) refused[reason] = (refused[reason] ?? 0) + count;
    return refused;
  }

  private advance(ms: unknown): void {
    if (typeof ms !== 'number') throw new Error('`ms` is no number');
    this.client.drain();
    addon.testAdvance(ms);
    this.wallMs += ms;
    this.monoMs += ms;
  }
}

/** The same ids in each run of a vector, but for those that are replaced. */
function replaceIds({ ids: made }: Client, ids: ReadonlyMap<string, string>): void {
  made.seed('000102030405060708090a0b0c0d0e0f');
  const replaced = (id: string) => ids.get(id) ?? id;
  const [event, trace, span] = [made.event.bind(made), made.trace.bind(made), made.span.bind(made)];
  Object.assign(made, {
    event: (nowMs: number) => replaced(event(nowMs)),
    trace: () => replaced(trace()),
    span: () => replaced(span()),
  });
}

/** The settings of the vectors, with those that the vector changes. */
function settings({ consent, sample, ...config }: Readonly<Record<string, unknown>>): object {
  const { monitoring = 'granted', analytics = 'granted' } = (consent ?? {}) as Record<string, unknown>;
  const changed = Object.entries(config).map(([name, value]) => [camel(name), value]);
  return {
    ...APP,
    sessions: false,
    consentMonitoring: monitoring,
    consentAnalytics: analytics,
    ...(sample !== undefined && { sampleRates: sample }),
    ...Object.fromEntries(changed),
  };
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
