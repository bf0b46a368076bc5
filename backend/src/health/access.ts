/** Who may read the details of a process. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Headers that a proxy adds. A client can add them too, and only shuts itself out. */
const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via', 'cf-connecting-ip'];

/** 200: it may. 401: it needs the token. 404: to others there is nothing here. */
export type Access = 200 | 401 | 404;

/**
 * In development and in tests everybody may. Elsewhere: with a token whoever has it, and without one only a client on this machine.
 *
 * The address is that of the socket, because `X-Forwarded-For` is what the client says. A proxy on this machine is not a client on
 * it: a request with a header that proxies add is refused. A proxy that adds none cannot be told from a client; set a token then.
 *
 * @param environment `NODE_ENV`
 */
export function accessOf(
  request: IncomingMessage,
  token: string | undefined,
  environment = process.env.NODE_ENV,
): Access {
  if (environment === 'development' || environment === 'test') return 200;
  if (token) return isToken(request.headers.authorization, token) ? 200 : 401;
  const direct = !PROXY_HEADERS.some((name) => request.headers[name] !== undefined);
  return direct && isLoopback(request.socket.remoteAddress) ? 200 : 404;
}

/** A Unix socket has no address: a proxy is behind it. */
function isLoopback(address: string | undefined): boolean {
  const plain = address?.startsWith('::ffff:') ? address.slice(7) : address;
  return plain === '::1' || plain?.startsWith('127.') === true;
}

/** In the same time whatever is wrong with the token. The word before it may be of any case (RFC 9110, section 11.1). */
function isToken(header: string | undefined, token: string): boolean {
  const [, given] = /^bearer +(.*)$/i.exec(header ?? '') ?? [];
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given ?? ''), hash(String(token))) && given !== undefined;
}
