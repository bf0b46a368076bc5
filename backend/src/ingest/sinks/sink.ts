/**
 * Where accepted events go. The contract of a sink, which `sinkContract` in `tests/ingest/sink-contract.ts` checks:
 *
 * 1. `store` ends when every row is durable, or fails. After a failure nothing is acknowledged, and the client sends all rows again.
 * 2. A row is identified by `project` and `id`. A sink that stored it before, also in a call that failed halfway or in another process,
 *    does not store it twice and names it in `duplicates`. It remembers an id for {@link DEDUPE_MS} (32 days) by `received_at`.
 * 3. Calls run at once, in this process and in others, with the same rows.
 * 4. A row is never changed.
 *
 * No sink keeps state in the process: any number of instances share what it stores.
 */
import type { LostTotal } from '../batch';
import type { Rejection, Row } from '../event';

/** What a sink did with rows. A row that is not named is stored. */
export interface Stored {
  /** Ids of rows that were there before. */
  readonly duplicates?: Iterable<string>;
  /** Rows that can never be stored, each with a sentence. The client gets them as `rejected` with the code `refused`. */
  readonly refused?: Iterable<{ readonly id: string; readonly message: string }>;
}

/** What belongs to rows of one request. */
export interface Delivery {
  readonly project: string;
  readonly batch_id: string;
  readonly install: string;
  /** Events that were refused before the sink was asked. */
  readonly rejected: readonly Rejection[];
  /** Aborted when the time of the sink is over: what is not yet sent can be left. */
  readonly signal: AbortSignal;
}

/** An answer as it was sent. */
export interface StoredAnswer {
  /** A hash of the ids of the batch. */
  readonly ids: string;
  /** JSON. */
  readonly body: string;
}

/** Keeps answers, so that the same `Idempotency-Key` gets the same one for 24 hours. */
export interface Answers {
  /** The answer to a key, unless it is older than 24 hours. */
  find(project: string, key: string): Promise<StoredAnswer | undefined>;
  /** Keeps an answer. Returns the one that is kept: an earlier one of the last 24 hours stays. */
  keep(project: string, key: string, answer: StoredAnswer): Promise<StoredAnswer>;
}

/** A sink. `functionSink`, `mongoSink` and `otlpSink` make one. */
export interface Sink {
  /** Stores rows. There is at least one, and no id occurs twice. */
  store(rows: readonly Row[], delivery: Delivery): Promise<Stored | undefined>;
  /** Keeps the maximum of each total. Called after `store`. Absent: what clients lost is not kept. */
  lost?(totals: readonly LostTotal[], delivery: Delivery): Promise<void>;
  /** Absent: an answer is made anew each time. Its counts then differ, its meaning does not. */
  readonly answers?: Answers;
}

/** A failure that is worth another attempt after a time that the sink knows. */
export class SinkError extends Error {
  constructor(
    message: string,
    /** Seconds. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}
