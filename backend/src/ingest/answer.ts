/** The answers of the protocol: a status, a JSON body, and the headers that belong to it. */
import type { ServerResponse } from 'node:http';
import { MAX_BYTES, MAX_EVENTS, RETRY_SECONDS } from './limits';

/** An answer that is ready to be sent. */
export interface Answer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Why a whole request is refused. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** For 429 and 503: when the client may come again, in seconds. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }

  /** The answer to the request. */
  answer(): Answer {
    const error = { code: this.code, message: this.message };
    const caps = this.status === 413 ? { max_bytes: MAX_BYTES, max_events: MAX_EVENTS } : {};
    const headers: Record<string, string> = {};
    if (this.retryAfter !== undefined) headers['Retry-After'] = String(this.retryAfter);
    if (this.status === 405) headers.Allow = 'POST';
    if (this.status === 401) headers['WWW-Authenticate'] = 'Bearer';
    return { status: this.status, body: JSON.stringify({ error, ...caps }), headers };
  }
}

/** Refuses a body above a cap of the protocol. The answer names the caps. */
export function tooLarge(): Refused {
  return new Refused(413, 'too_large', `the body is larger than ${MAX_BYTES} bytes`);
}

/** Refuses a request for now. The client keeps its events. */
export function busy(status: 429 | 503, code: string, message: string, retryAfter?: number): Refused {
  return new Refused(status, code, message, retryAfter ?? 1 + Math.floor(Math.random() * RETRY_SECONDS));
}

/** Sends an answer, unless the client is gone or another handler has answered. */
export function send(res: ServerResponse, { status, body, headers }: Answer): void {
  if (res.headersSent || res.destroyed) return;
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  });
  res.end(body);
}
