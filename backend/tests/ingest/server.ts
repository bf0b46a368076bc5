/** Real servers with the handler, and clients that send batches. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import express from 'express';
import express4 from 'express4';
import { afterEach } from 'vitest';
import type { IngestHandler } from '../../src/ingest';

export const KEY = 'wk-secret-4711';
export const KEYS = { [KEY]: 'shop', 'wk-other': 'other' };
export const NOW = 1_795_400_000_000;
export const DAY_MS = 24 * 3600 * 1000;

const running: Server[] = [];

afterEach(async () => {
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Listens on a free port and returns the address. */
export async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  running.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The three kinds of server that the handler runs on. */
export const HOSTS: readonly [string, (handler: IngestHandler) => RequestListener][] = [
  ['http.createServer', (handler) => (req, res) => handler(req, res)],
  ['Express 4', (handler) => express4().use(handler) as unknown as RequestListener],
  ['Express 5', (handler) => express().use(handler) as unknown as RequestListener],
];

/** A valid id of version 7. */
export function id(n: number): string {
  return `019f0c1e-7c1e-7a53-9b0e-${n.toString(16).padStart(12, '0')}`;
}

/** A valid event. */
export function event(n: number, change: object = {}): Record<string, unknown> {
  return {
    id: id(n),
    seq: 2 ** 40 + n,
    ts: new Date(NOW - 1000).toISOString(),
    boot: 'b1',
    mono_ms: 5,
    kind: 'error',
    session: 's',
    attrs: { n },
    ...change,
  };
}

/** The numbers from `first` to `last`. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** A valid batch. */
export function batch(batch_id: string, events: readonly unknown[], change: object = {}): Record<string, unknown> {
  return {
    v: 1,
    batch_id,
    install: 'i1',
    epoch: 1,
    boot: 'b1',
    sdk: { name: 'rez-monitor', version: '0.1.0' },
    resource: { run: 'r1', app: 'shop', release: 'shop@1.4.0+52', os: 'Android 15' },
    lost: [],
    events,
    ...change,
  };
}

/** What the server answered. */
export interface Reply {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the tests read any member of an answer
  json: any;
  text: string;
}

/** Sends a body with the headers that the client sends. A header that is `undefined` is left out. */
export async function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string | undefined> = {},
): Promise<Reply> {
  const all: Record<string, string | undefined> = {
    authorization: `Bearer ${KEY}`,
    'content-type': 'application/json',
    ...headers,
  };
  const sent = Object.entries(all).filter((one): one is [string, string] => one[1] !== undefined);
  const response = await fetch(`${url}/v1/batch`, { method: 'POST', headers: sent, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: text === '' ? undefined : JSON.parse(text) };
}

/** Sends a batch under its own id, packed as the client packs it. */
export function sendBatch(
  url: string,
  sent: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const packed = new Uint8Array(gzipSync(JSON.stringify(sent)));
  return post(url, packed, { 'content-encoding': 'gzip', 'idempotency-key': String(sent.batch_id), ...headers });
}
