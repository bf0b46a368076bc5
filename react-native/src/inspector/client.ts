/**
 * The requests of the inspector to the engine, one function each.
 *
 * Answers are read leniently: a member that is missing or of another type is empty, an event that is none is left out. What is no
 * answer at all becomes `{ error }`. No function throws, and no promise is rejected.
 */
import { readObject } from '../core/answers';
import { client } from '../core/carrier';
import { isRecord } from '../core/guard';
import { read, readList, readNumber, readText } from '../core/read';
import { oneLine } from './text';

/** How long the engine may take, in milliseconds. */
const WAIT_MS = 5_000;
/** Events of a page. */
export const PAGE = 50;
/** Destinations of an event, and lines of a list, that are read. */
const MOST = 100;

const NO_ANSWER = 'the engine gave no answer that this version can read; rebuild the app with its native code';

/** A sentence in the place of an answer. */
export interface Wrong {
  error: string;
}

/** Where an event is on its way to a destination. */
export interface RouteState {
  route: string;
  state: string;
  /** The same in a sentence, with the number of attempts. */
  text: string;
}

export interface EventRow {
  seq: number;
  id: string;
  kind: string;
  /** A short title. */
  name: string;
  level: string;
  wall_ms: number;
  bytes: number;
  routes: RouteState[];
}

export type StateFilter = 'queued' | 'delivered' | 'dropped' | 'dead';

/** An absent member restricts nothing. */
export interface Filter {
  state?: StateFilter;
  kind?: string;
  /** Part of the event, as text. */
  text?: string;
  since_mark?: boolean;
}

/** Events, the newest first. */
export interface Page {
  events: EventRow[];
  /** Where the next page begins; null: this is the last one. */
  before: number | null;
}

export interface Detail {
  event: EventRow;
  /** The payload as it is stored. */
  json: unknown;
  /** Milliseconds since 1970. */
  wall_ms: number;
  /** Milliseconds since the device was started. */
  mono_ms: number;
  why: string;
}

export interface Why {
  why: string;
  /** Whether the answer can no longer change. */
  final: boolean;
}

export interface RouteStatus {
  route: string;
  /** What waits and why, in a sentence of the engine. */
  line: string;
  /** Nothing is sent, because of what a server has answered: a wrong key, for example. */
  stopped: boolean;
  delivered: number;
  /** Events that the server has refused and that are kept. */
  dead: number;
  /** Events that will not be delivered, by reason. */
  dropped: Count[];
}

export interface Count {
  reason: string;
  count: number;
}

export interface Status {
  routes: RouteStatus[];
  /** Refused before they became a row. */
  refused: Count[];
  /** Sentences about everything but the routes. */
  lines: string[];
  /** The fault in effect. Undefined: the engine names none that is known here. */
  fault: Fault | undefined;
  /** Whether crashes of native code are captured. Undefined: the engine does not say. */
  nativeCrashes: boolean | undefined;
}

const FAULTS = ['none', 'offline', 'refuse', 'slow'] as const;

export type Fault = (typeof FAULTS)[number];

export function isWrong(answer: object | undefined): answer is Wrong {
  return typeof read(answer, 'error') === 'string';
}

export async function list(filter: Filter = {}, before?: number, limit = PAGE): Promise<Page | Wrong> {
  const answer = await ask({ ask: 'list', filter, ...(before !== undefined && { before }), limit });
  if (isWrong(answer)) return answer;
  const next = read(answer, 'before');
  // A page that does not lie before the one that was asked for would be asked for without end.
  const isBefore = typeof next === 'number' && Number.isFinite(next) && (before === undefined || next < before);
  return { events: readList(answer.events, limit).flatMap(rowOf), before: isBefore ? next : null };
}

export async function show(id: string): Promise<Detail | Wrong> {
  const answer = await ask({ ask: 'show', id });
  if (isWrong(answer)) return answer;
  const [event] = rowOf(read(answer, 'event'));
  if (event === undefined) return { error: NO_ANSWER };
  return {
    event,
    json: read(answer, 'json'),
    wall_ms: readNumber(answer, 'wall_ms'),
    mono_ms: readNumber(answer, 'mono_ms'),
    why: readText(answer, 'why'),
  };
}

export async function why(id: string): Promise<Why | Wrong> {
  const answer = await ask({ ask: 'why', id });
  return isWrong(answer) ? answer : { why: readText(answer, 'why'), final: read(answer, 'final') === true };
}

export async function status(): Promise<Status | Wrong> {
  const answer = await ask({ ask: 'status' });
  if (isWrong(answer)) return answer;
  const [inner, native] = [read(answer, 'status'), read(answer, 'native_crashes')];
  const lines = readList(answer.lines, MOST).filter((line): line is string => typeof line === 'string');
  const routes = readList(read(inner, 'routes'), MOST).flatMap((route) => statusOf(route, lines));
  return {
    routes,
    refused: counts(read(inner, 'refused')),
    lines: lines.filter((line) => !routes.some(({ route }) => isAbout(line, route))),
    fault: FAULTS.find((fault) => fault === read(answer, 'fault')),
    nativeCrashes: typeof native === 'boolean' ? native : undefined,
  };
}

/** Sends what may be sent now: a sentence per destination about what was delivered, what is left, and why. */
export async function sendNow(): Promise<string[] | Wrong> {
  const answer = await ask({ tell: 'send_now' });
  if (isWrong(answer)) return answer;
  return readList(read(answer, 'destinations'), MOST)
    .map((one) => readText(one, 'text'))
    .filter((text) => text !== '');
}

/** Puts a named row into the timeline. */
export function mark(text: string): Promise<object | Wrong> {
  return ask({ tell: 'mark', text });
}

/** Makes every request fail in this way, until the app ends or `none`. */
export function setFault(fault: Fault): Promise<object | Wrong> {
  return ask({ tell: 'fault', fault });
}

async function ask(request: object): Promise<Record<string, unknown> | Wrong> {
  const answer = readObject(await client().inspect(request, WAIT_MS));
  if (answer === undefined) return { error: NO_ANSWER };
  if (answer.error == null) return answer;
  const error = readText(answer, 'error');
  return { error: error === '' ? NO_ANSWER : oneLine(error, 500) };
}

/** A list, so that what is no event is left out. */
function rowOf(given: unknown): EventRow[] {
  const id = readText(given, 'id');
  const seq = read(given, 'seq');
  if (id === '' || typeof seq !== 'number') return [];
  return [
    {
      seq,
      id,
      kind: readText(given, 'kind'),
      name: readText(given, 'name'),
      level: readText(given, 'level'),
      wall_ms: readNumber(given, 'wall_ms'),
      bytes: readNumber(given, 'bytes'),
      routes: readList(read(given, 'routes'), MOST).filter(isRecord).map(routeOf),
    },
  ];
}

function routeOf(given: unknown): RouteState {
  return { route: readText(given, 'route'), state: readText(given, 'state'), text: readText(given, 'text') };
}

function statusOf(given: unknown, lines: readonly string[]): RouteStatus[] {
  const route = readText(given, 'route');
  if (route === '') return [];
  const line = lines.find((one) => isAbout(one, route)) ?? '';
  return [
    {
      route,
      line: line.slice(route.length + 2),
      stopped: read(given, 'stopped') === true,
      delivered: readNumber(given, 'delivered'),
      dead: readNumber(given, 'dead'),
      dropped: counts(read(given, 'dropped')),
    },
  ];
}

/** The engine begins its line about a route with the name. */
function isAbout(line: string, route: string): boolean {
  return line.startsWith(`${route}: `);
}

/** Counts by reason: `{reason: count}`, or a list of `{reason, count}` in which a reason can stand once per kind. */
function counts(given: unknown): Count[] {
  const found = isRecord(given)
    ? Object.keys(given).map((reason) => ({ reason, count: readNumber(given, reason) }))
    : readList(given, MOST).map((one) => ({ reason: readText(one, 'reason'), count: readNumber(one, 'count') }));
  const sums: Count[] = [];
  for (const { reason, count } of found) {
    const known = sums.find((sum) => sum.reason === reason);
    if (known) known.count += count;
    else if (reason !== '' && count > 0) sums.push({ reason, count });
  }
  return sums;
}
