/** From a body to the answer: checks each event, lets the sink store the rows, and accounts for all of them. */
import { type Answer, busy, Refused } from './answer';
import { type Batch, hashOfIds, readBatch } from './batch';
import { type Rejection, type Row, readEvent } from './event';
import type { IngestOptions } from './ingest';
import type { Delivery, Sink, StoredAnswer } from './sinks/sink';
import type { Times } from './time';

/** What a request was about, for {@link IngestOptions.observe}. */
export interface Counted {
  accepted: number;
  duplicate: number;
  rejected: number;
}

/** A request whose body was read. */
export interface Received {
  readonly project: string;
  readonly body: unknown;
  /** `Idempotency-Key`. */
  readonly key: string | undefined;
  readonly times: Times;
  readonly signal: AbortSignal;
}

/** Answers a request after the sink has committed. Throws {@link Refused}, or what the sink throws. */
export async function settle(sink: Sink, request: Received, counted: Counted): Promise<Answer> {
  const { project, times, signal } = request;
  const batch = readBatch(request.body);
  checkKey(request.key, batch);
  const ids = hashOfIds(batch.events);
  const earlier = await sink.answers?.find(project, batch.batch_id);
  if (earlier !== undefined) return replay(earlier, ids, counted);

  const { rows, repeated, rejected } = sorted(batch, project, times);
  const delivery: Delivery = { project, batch_id: batch.batch_id, install: batch.install, rejected, signal };
  const stored =
    rows.size > 0
      ? await sink.store(
          [...rows.values()].map(({ row }) => row),
          delivery,
        )
      : undefined;
  if (batch.lost.length > 0) {
    const { install, epoch } = batch;
    await sink.lost?.(
      batch.lost.map((one) => ({ project, install, epoch, ...one })),
      delivery,
    );
  }
  const again = new Set<string>();
  for (const id of stored?.duplicates ?? []) if (rows.has(id)) again.add(id);
  const refusals = [...rejected];
  const gone = new Set<string>();
  for (const { id, message } of stored?.refused ?? []) {
    const place = rows.get(id);
    if (place === undefined || again.has(id) || gone.has(id)) continue;
    gone.add(id);
    refusals.push({ index: place.index, id, code: 'refused', field: '', message });
  }
  const duplicate = repeated + again.size;
  const accepted = rows.size - again.size - gone.size;
  refusals.sort((one, other) => one.index - other.index);
  Object.assign(counted, { accepted, duplicate, rejected: refusals.length });
  const { batch_id } = batch;
  const body = JSON.stringify({ batch_id, accepted, duplicate, rejected: refusals, limits: [] });
  const kept = await sink.answers?.keep(project, batch_id, { ids, body });
  // Another instance has answered the same request meanwhile. Both answers account for all rows; the first one counts.
  return kept === undefined ? { status: 200, body } : replay(kept, ids, counted);
}

function checkKey(key: string | undefined, { batch_id }: Batch): void {
  const wrong = (message: string) => new Refused(400, 'idempotency_key', message);
  if (key === undefined) throw wrong('the header `Idempotency-Key` is missing');
  if (key !== batch_id) throw wrong('`Idempotency-Key` differs from the `batch_id` of the body');
}

function replay({ ids: known, body }: StoredAnswer, ids: string, counted: Counted): Answer {
  if (known !== ids) throw new Refused(422, 'idempotency_clash', 'this `Idempotency-Key` was used with other events');
  const { accepted, duplicate, rejected } = JSON.parse(body) as { [name: string]: number } & { rejected: unknown[] };
  Object.assign(counted, { accepted, duplicate, rejected: rejected.length });
  return { status: 200, body };
}

interface Sorted {
  /** Valid events by their id, each with its index in the batch. */
  rows: Map<string, { row: Row; index: number }>;
  /** Valid events whose id occurs before in the batch. */
  repeated: number;
  rejected: Rejection[];
}

function sorted(batch: Batch, project: string, times: Times): Sorted {
  const out: Sorted = { rows: new Map(), repeated: 0, rejected: [] };
  batch.events.forEach((event, index) => {
    const read = readEvent(index, event, project, batch, times);
    if ('code' in read) out.rejected.push(read);
    else if (out.rows.has(read.id)) out.repeated += 1;
    else out.rows.set(read.id, { row: read, index });
  });
  return out;
}

/** Turns what a sink threw into an answer that makes the client keep its events. */
export function unavailable(error: unknown): Refused {
  const { retryAfter } = (error ?? {}) as { retryAfter?: unknown };
  const known = typeof retryAfter === 'number' && retryAfter > 0 ? Math.ceil(retryAfter) : undefined;
  return busy(503, 'sink', 'the events cannot be stored now: send them again', known);
}
