/** Reads what the engine answers, JSON texts, as the declared types. A wrong member gets the value of an empty answer. Nothing throws. */
import { NO_ENGINE_TEXT } from '../native/port';
import { isRecord } from './guard';
import { readList, readNumber, readText } from './read';

/** What a flush has done for a destination. */
export interface Flushed {
  destination: string;
  /** Events delivered during the call. */
  delivered: number;
  /** Events that still wait. */
  left: number;
  /** Why they wait, if they do. */
  held?: { code: string; until_ms?: number; why: string; failures: number } | null;
  /** The same in one sentence. */
  text: string;
}

export interface FlushResult {
  destinations: Flushed[];
  /** Why nothing could be sent; absent if it could. */
  error?: string;
}

/** A message of the engine to a developer. */
export interface LogLine {
  level: string;
  code: string;
  text: string;
}

export interface Status {
  status: Record<string, unknown>;
  lines: string[];
}

/** The crash of the run before this one. */
export interface LastCrash {
  /** Of its event, for `why`. */
  id: string;
  /** `TypeError`, `SIGSEGV`, `java.lang.IllegalStateException`. */
  type: string;
  /** What reported it: `onerror`, `signal`, `exit_report`, .. */
  mechanism?: string;
  /** When it happened, in milliseconds since 1970. */
  atMs: number;
  /** Milliseconds from the start of its run. Absent if the clock was changed meanwhile. */
  sinceStartMs?: number;
  /** The support code of its session. Absent without a session. */
  supportCode?: string;
}

export interface LastRun {
  /** `closed`, `crashed`, `exited`, `abnormal`, `unknown`. */
  ended: string;
  crash: LastCrash | null;
}

export interface Metric {
  name: string;
  last: number;
  count: number;
  p50: number;
  p95: number;
  p99: number;
}

/** An object. Undefined for anything else. */
export function readObject(json: string): Record<string, unknown> | undefined {
  const value = decoded(json);
  return isRecord(value) ? value : undefined;
}

/** The seed of the ids, or why the engine is not open. */
export function readOpening(json: string): { seed: string; error: string } {
  const answer = readObject(json);
  const failed = answer === undefined || answer.error != null;
  return { seed: readText(answer, 'seed'), error: failed ? readText(answer, 'error') || NO_ENGINE_TEXT : '' };
}

export function readFlush(json: string): FlushResult {
  const answer = readObject(json) ?? { error: NO_ENGINE_TEXT };
  const error = readText(answer, 'error');
  return { destinations: records(answer.destinations).map(flushedOne), ...(error !== '' && { error }) };
}

function flushedOne(one: Record<string, unknown>): Flushed {
  const { held } = one;
  return {
    ...one,
    destination: readText(one, 'destination'),
    delivered: readNumber(one, 'delivered'),
    left: readNumber(one, 'left'),
    ...('held' in one && { held: isRecord(held) ? holding(held) : null }),
    text: readText(one, 'text'),
  };
}

function holding(held: Record<string, unknown>): NonNullable<Flushed['held']> {
  const { until_ms, ...rest } = held;
  return {
    ...rest,
    code: readText(held, 'code'),
    ...(typeof until_ms === 'number' && { until_ms }),
    why: readText(held, 'why'),
    failures: readNumber(held, 'failures'),
  };
}

export function readStatus(json: string): Status | undefined {
  const answer = readObject(json);
  if (!isRecord(answer?.status)) return undefined;
  return { status: answer.status, lines: list(answer.lines).filter((line) => typeof line === 'string') };
}

export function readMetrics(json: string): Metric[] {
  return records(decoded(json)).map((one) => ({
    name: readText(one, 'name'),
    last: readNumber(one, 'last'),
    count: readNumber(one, 'count'),
    p50: readNumber(one, 'p50'),
    p95: readNumber(one, 'p95'),
    p99: readNumber(one, 'p99'),
  }));
}

export function readLog(json: string): LogLine[] {
  return records(decoded(json)).map((one) => ({
    level: readText(one, 'level'),
    code: readText(one, 'code'),
    text: readText(one, 'text'),
  }));
}

/** What became of an event. */
export function readWhy(json: string): Record<string, unknown> {
  return readObject(json) ?? { error: NO_ENGINE_TEXT };
}

/** The run before this one; null: there was none, or it is not known. */
export function readLastRun(json: string): LastRun | null {
  const answer = readObject(json);
  const ended = readText(answer, 'ended');
  if (ended === '') return null;
  return { ended, crash: isRecord(answer?.crash) ? crashOf(answer.crash) : null };
}

function crashOf(crash: Record<string, unknown>): LastCrash {
  const { mechanism, since_start_ms: since, support_code: code } = crash;
  return {
    id: readText(crash, 'id'),
    type: readText(crash, 'type'),
    ...(typeof mechanism === 'string' && { mechanism }),
    atMs: readNumber(crash, 'at_ms'),
    ...(typeof since === 'number' && { sinceStartMs: since }),
    ...(typeof code === 'string' && { supportCode: code }),
  };
}

export function readHeaders(json: string): Record<string, string> {
  const entries = Object.entries(readObject(json) ?? {});
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}

function decoded(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const list = (value: unknown): unknown[] => readList(value, Number.POSITIVE_INFINITY);
const records = (value: unknown): Record<string, unknown>[] => list(value).filter(isRecord);
