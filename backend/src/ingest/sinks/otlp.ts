/** An OpenTelemetry Collector as a sink: OTLP over HTTP, as JSON. */
import { members } from '../../../../react-native/src/api/members';
import { warnOnce } from '../../core/logger';
import type { LostTotal } from '../batch';
import type { Row } from '../event';
import { lostRequest } from './otlp/lost';
import { recordsOf } from './otlp/record';
import { type PartialSuccess, readReply } from './otlp/reply';
import { resourceOf } from './otlp/resource';
import type { Seen } from './seen';
import { type Answers, type Delivery, type Sink, SinkError } from './sink';

/** Options of {@link otlpSink}. */
export interface OtlpSinkOptions {
  /** Base address of the Collector, for example `http://otel-collector:4318`; `/v1/logs` and `/v1/metrics` are appended. */
  readonly endpoint: string;
  /** Headers of every request, for example `{authorization: 'Bearer ..'}`. They are not logged. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sends lost events as the metric `app.queue.dropped`. Default: true. */
  readonly metrics?: boolean;
  /** Remembers which events were passed on. Without it an event whose answer was lost is passed on again with the same `rez.event_id`. */
  readonly seen?: Seen;
  /** Keeps answers for 24 hours, see {@link Answers}. */
  readonly answers?: Answers;
}

/**
 * Passes events on to a Collector as log records. They are acknowledged when the Collector answers 200 as OTLP says: how durable that is
 * depends on its configuration, see `docs/guide/scale.md`.
 */
export function otlpSink(options: OtlpSinkOptions): Sink {
  const given = members(options, 'endpoint', 'headers', 'metrics', 'seen', 'answers');
  const { endpoint = '', headers, metrics = true, seen, answers } = given;
  const base = baseAddress(endpoint);
  // Wrong headers are a programming error: here it is seen at the start.
  const all = new Headers(headers);
  all.set('content-type', 'application/json');

  async function post(path: string, body: object, signal: AbortSignal): Promise<void> {
    const request: RequestInit = {
      method: 'POST',
      headers: all,
      body: JSON.stringify(body),
      redirect: 'manual',
      signal,
    };
    const response = await fetch(base + path, request).catch((error: unknown) => {
      throw new SinkError(`the Collector at ${base} cannot be reached: ${reason(error)}`);
    });
    tellPartial(path, await readReply(path, response));
  }

  return {
    async store(rows, { project, signal }: Delivery) {
      const ids = rows.map(({ id }) => id);
      const known = (await seen?.known(project, ids)) ?? new Set<string>();
      const fresh = rows.filter(({ id }) => !known.has(id));
      if (fresh.length > 0) {
        await post('/v1/logs', logsRequest(fresh), signal);
        await seen?.add(
          project,
          fresh.map(({ id }) => id),
        );
      }
      return { duplicates: known };
    },
    ...(metrics && {
      lost: (totals: readonly LostTotal[], { signal }: Delivery) =>
        post('/v1/metrics', lostRequest(totals, Date.now()), signal),
    }),
    ...(answers && { answers }),
  };
}

/** OTLP's request for rows, one resource for each run and release. */
export function logsRequest(rows: readonly Row[]): object {
  const runs = new Map<string, Row[]>();
  // Most rows share the object of their batch. One of another run has its own, which is equal to that of its neighbours.
  const texts = new Map<object, string>();
  for (const row of rows) {
    const run = texts.get(row.resource) ?? JSON.stringify(row.resource);
    texts.set(row.resource, run);
    const known = runs.get(run);
    if (known === undefined) runs.set(run, [row]);
    else known.push(row);
  }
  const resourceLogs = [...runs.values()].map((all) => {
    const first = all[0] as Row;
    const scope = { name: 'rez-monitor', version: String(first.sdk.version ?? '') };
    return {
      resource: { attributes: resourceOf(first) },
      scopeLogs: [{ scope, logRecords: all.flatMap(recordsOf) }],
    };
  });
  return { resourceLogs };
}

/** A Collector that refuses some records does not say which, and OTLP forbids to send them again. */
function tellPartial(path: string, { rejectedLogRecords, rejectedDataPoints }: PartialSuccess): void {
  if (Number(rejectedLogRecords ?? rejectedDataPoints ?? 0) > 0) {
    warnOnce(`ingest: the Collector accepts ${path} but refuses some records: see its log`);
  }
}

function baseAddress(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('otlpSink: `endpoint` is not an http or https address');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new TypeError('otlpSink: `endpoint` must have no credentials and no query: give `headers`');
  }
  const path = url.pathname.replace(/\/v1\/(logs|metrics)$/, '');
  return url.origin + (path.endsWith('/') ? path.slice(0, -1) : path);
}

function reason(error: unknown): string {
  const { cause, name, message } = (error ?? {}) as Error & { cause?: { code?: unknown } };
  return String((cause as { code?: unknown } | undefined)?.code ?? message ?? name);
}
