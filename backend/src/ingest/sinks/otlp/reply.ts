/** Whether what a Collector answers says that it took a request. Something else may listen at its address: a proxy, a sign-in page. */
import { ANSWER_BYTES } from '../../limits';
import { SinkError } from '../sink';

/** What an answer says of records that were refused. */
export interface PartialSuccess {
  rejectedLogRecords?: unknown;
  rejectedDataPoints?: unknown;
}

/**
 * Reads the answer to a request at `path`. Throws a {@link SinkError} unless it is what OTLP calls success: status 200 with a message as
 * JSON or protobuf, or without a body.
 */
export async function readReply(path: string, response: Response): Promise<PartialSuccess> {
  const { status, headers } = response;
  if (status !== 200) {
    // The rest is not needed, and it can be endless. A failure to end it changes nothing.
    response.body?.cancel().catch(() => undefined);
    const after = Number(headers.get('retry-after'));
    throw new SinkError(`the Collector answers ${path} with ${status}`, after > 0 ? after : undefined);
  }
  const body = await limited(path, response);
  if (body.length === 0) return {};
  const type = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? 'no content type';
  const isRead = type === 'application/x-protobuf' ? isMessage(body) : type === 'application/json';
  const reply = type === 'application/json' ? parsed(body) : {};
  if (isRead && reply) return reply;
  throw new SinkError(`what answers ${path} is no Collector: status 200 with ${type}, which is no answer of OTLP`);
}

async function limited(path: string, { body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > ANSWER_BYTES) throw new SinkError(`the answer to ${path} is larger than ${ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** The message as JSON. Undefined: it is no object. */
function parsed(body: Buffer): PartialSuccess | undefined {
  try {
    const message: unknown = JSON.parse(body.toString());
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return undefined;
    const { partialSuccess } = message as { partialSuccess?: PartialSuccess | null };
    return partialSuccess ?? {};
  } catch {
    return undefined;
  }
}

/** Whether bytes are the message of protobuf: field 1, which has a length, and nothing else. What it says is in the Collector's log. */
function isMessage(body: Buffer): boolean {
  if (body[0] !== 0x0a) return false;
  let length = 0;
  for (let at = 1; at < Math.min(body.length, 5); at++) {
    const byte = body[at] ?? 0;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte < 0x80) return at + 1 + length === body.length;
  }
  return false;
}
