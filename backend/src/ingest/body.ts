/** Reads the body of a request within its limits, whether or not the app has read it before. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, inflate, inflateSync, type ZlibOptions } from 'node:zlib';
import { busy, Refused, tooLarge } from './answer';
import { DISCARD_BYTES, DISCARD_MS, MAX_BYTES, PACKED_EXTRA_BYTES, SYNC_BYTES } from './limits';

/** What a body parser of the app may have left. */
type Parsed = IncomingMessage & { body?: unknown; _body?: boolean };

/** The client has gone: nobody is left to answer. */
export class Gone extends Error {}

/** Counts bytes of bodies that are arriving, up to a limit. */
export class Arriving {
  private length = 0;

  constructor(private readonly limit: number) {}

  /** Counts bytes. False: they would be too many, and are not counted. */
  add(length: number): boolean {
    if (this.length + length > this.limit) return false;
    this.length += length;
    return true;
  }

  /** Bytes that have been counted are no longer waiting. */
  remove(length: number): void {
    this.length -= length;
  }
}

/** A body that has arrived. Its JSON costs memory and time, so it is read by a call of its own. */
export type Arrived = () => Promise<unknown>;

/**
 * Waits for a body, and returns what reads its JSON.
 *
 * If a parser of the app has read it, its result is taken: an object as it is, bytes and text after the same checks. The limits of
 * packed and unpacked size were then those of the parser.
 */
export async function arrival(req: IncomingMessage, timeoutMs: number, arriving: Arriving): Promise<Arrived> {
  const { body, _body } = req as Parsed;
  if (typeof body === 'string') return async () => parsed(Buffer.from(body));
  if (Buffer.isBuffer(body)) return async () => parsed(await unpack(body, isPacked(body) ? encoding(req) : 'identity'));
  if (_body === true || req.readableEnded) {
    if (body !== null && typeof body === 'object') return async () => body;
    throw new Refused(400, 'unreadable', 'the body was read before this handler, and `req.body` is not JSON');
  }
  const kind = encoding(req);
  const limit = kind === 'identity' ? MAX_BYTES : MAX_BYTES + PACKED_EXTRA_BYTES;
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const packed = await bytes(req, limit, timeoutMs, arriving);
  return async () => parsed(await unpack(packed, kind));
}

/** Refuses a body whose type or encoding cannot be read. Called before the body is. */
export function checkType(req: IncomingMessage): void {
  const type = req.headers['content-type'];
  if (type !== undefined && type.split(';', 1)[0]?.trim().toLowerCase() !== 'application/json') {
    throw new Refused(415, 'content_type', 'the `Content-Type` is not application/json');
  }
  encoding(req);
}

type Encoding = 'identity' | 'gzip' | 'deflate';

function encoding(req: IncomingMessage): Encoding {
  const given = (req.headers['content-encoding'] ?? '').trim().toLowerCase();
  if (given === '' || given === 'identity') return 'identity';
  if (given === 'gzip' || given === 'x-gzip') return 'gzip';
  if (given === 'deflate') return 'deflate';
  throw new Refused(415, 'encoding', 'the `Content-Encoding` is not supported: send gzip, deflate or identity');
}

/** Whether bytes begin as gzip or zlib does. JSON begins with neither. */
function isPacked(body: Buffer): boolean {
  return (body[0] === 0x1f && body[1] === 0x8b) || body[0] === 0x78;
}

/** The bytes of the body as they are sent. Ends at a limit, at the end of the time, or when the client goes. */
function bytes(req: IncomingMessage, limit: number, timeoutMs: number, arriving: Arriving): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer) => {
      if (length + chunk.length > limit) end(() => reject(tooLarge()));
      else if (!arriving.add(chunk.length)) {
        end(() => reject(busy(429, 'busy', 'too many bodies are arriving at once: send it again')));
      } else {
        length += chunk.length;
        chunks.push(chunk);
      }
    };
    const whole = () =>
      end(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length)));
    const gone = () => end(() => reject(new Gone('the client has gone')));
    const late = () => end(() => reject(new Refused(408, 'timeout', `the body did not arrive within ${timeoutMs} ms`)));
    const timer = setTimeout(late, timeoutMs);
    function end(settle: () => void) {
      clearTimeout(timer);
      arriving.remove(length);
      req.off('data', take).off('end', whole).off('close', gone);
      settle();
    }
    // The listener of errors stays: the connection may fail after the answer too.
    req.on('error', gone).on('data', take).on('end', whole).on('close', gone);
    if (req.destroyed) gone();
  });
}

/** Unpacks bytes. Stops at the limit, so that a bomb is not unpacked. */
async function unpack(packed: Buffer, kind: Encoding): Promise<Buffer> {
  if (kind === 'identity') return packed;
  const limit = { maxOutputLength: MAX_BYTES };
  try {
    if (packed.length <= SYNC_BYTES) return (kind === 'gzip' ? gunzipSync : inflateSync)(packed, limit);
    return await (kind === 'gzip' ? gunzipLater : inflateLater)(packed, limit);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new Refused(400, 'unreadable', `the body is not ${kind}`);
  }
}

const gunzipLater = promisify(gunzip as (packed: Buffer, options: ZlibOptions, done: Done) => void);
const inflateLater = promisify(inflate as (packed: Buffer, options: ZlibOptions, done: Done) => void);

type Done = (error: Error | null, plain: Buffer) => void;

function parsed(plain: Buffer): unknown {
  if (plain.length > MAX_BYTES) throw tooLarge();
  if (!isUtf8(plain)) throw new Refused(400, 'unreadable', 'the body is not UTF-8');
  try {
    return JSON.parse(plain.toString());
  } catch {
    throw new Refused(400, 'unreadable', 'the body is not JSON');
  }
}

/**
 * Reads the rest of a refused request and drops it, so that the client, which may still be sending, gets the answer. Ends the
 * connection of a client that goes on sending.
 */
export function discard(req: IncomingMessage): void {
  if (req.readableEnded || req.destroyed) return;
  let length = 0;
  const end = () => {
    clearTimeout(timer);
    req.destroy();
  };
  const timer = setTimeout(end, DISCARD_MS);
  timer.unref();
  req.on('error', () => undefined);
  req.on('close', () => clearTimeout(timer)).on('end', () => clearTimeout(timer));
  req.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > DISCARD_BYTES) end();
  });
  req.resume();
}
