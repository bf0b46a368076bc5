/** What a destination receives, in the form of the expected files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Received } from '../collector';
import type { Vendor } from './vendors';

/** A request as the expected files show it: length and checksum of the body before compression. */
export interface Shown {
  url: string;
  headers: Record<string, string>;
  bytes: number;
  crc32: string;
}

/** Ids of another run, and those of the expected files for them. Without hyphens. */
export type Ids = ReadonlyMap<string, string>;

/** What an HTTP client adds itself. */
const OF_THE_CLIENT = new Set(['host', 'content-length', 'accept', 'accept-encoding']);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The requests of all routes, in an order that does not depend on the routes. */
export function expectedRequests({ name }: Vendor, vector: string): Shown[] {
  const path = join(__dirname, '../../../tests/contract/expected', name, `${vector}.json`);
  const routes = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Shown[]>;
  return ordered(
    Object.values(routes)
      .flat()
      .map(({ url, headers, bytes, crc32 }) => ({ url, headers: withoutClient(headers), bytes, crc32 })),
  );
}

/** The same of what a server has got, which is compared with `expected`: a request has an id of its own, which the engine counts. */
export function receivedRequests(vendor: Vendor, requests: readonly Received[], ids: Ids, expected: Shown[]): Shown[] {
  const plain = requests.map(({ path, headers, body }) => ({
    url: `${vendor.host}${path}`,
    headers: withoutClient(headers),
    body: vendor.atItsHost?.(body.toString('latin1')) ?? body.toString('latin1'),
  }));
  return ordered(plain.map((one) => ({ ...one, bytes: one.body.length, crc32: '' }))).map((one, at) => {
    const all = new Map([...ids, ...requestIds(one.headers, expected[at]?.headers ?? {})]);
    const headers = Object.entries(one.headers).map(([name, value]) => [name, replaced(value, all)]);
    const body = Buffer.from(replaced(one.body, all), 'latin1');
    return {
      url: one.url,
      headers: Object.fromEntries(headers),
      bytes: body.length,
      crc32: crc32(body).toString(16).padStart(8, '0'),
    };
  });
}

function ordered<T extends Shown>(requests: T[]): T[] {
  const key = ({ url, bytes }: Shown) => `${url} ${String(bytes).padStart(9)}`;
  return [...requests].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function withoutClient(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  const kept = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  return Object.fromEntries(kept.filter(([name]) => !OF_THE_CLIENT.has(name)).sort());
}

/** The ids of a request are in a header, and of some vendors in the body. */
function* requestIds(found: Record<string, string>, expected: Record<string, string>): Iterable<[string, string]> {
  for (const [name, id] of Object.entries(found)) {
    const other = expected[name] ?? '';
    if (UUID.test(id) && UUID.test(other)) yield [id.replace(/-/g, ''), other.replace(/-/g, '')];
  }
}

/** A text with other ids, in each of their forms: with hyphens, without, and as bytes. */
function replaced(text: string, ids: Ids): string {
  const forms = new Map<string, string>();
  for (const [from, to] of ids) {
    forms.set(from, to);
    forms.set(hyphened(from), hyphened(to));
    forms.set(bytes(from), bytes(to));
  }
  if (forms.size === 0) return text;
  const escaped = [...forms.keys()].map((form) => form.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  // In one pass: an id may be the replacement of another.
  return text.replace(new RegExp(escaped.join('|'), 'g'), (form) => forms.get(form) ?? form);
}

const bytes = (id: string) => Buffer.from(id, 'hex').toString('latin1');

/** An id in the form of a UUID. One of a span, which is shorter, stays as it is. */
export function hyphened(id: string): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
