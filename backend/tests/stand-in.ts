/** A server on loopback that stands for a vendor, and keeps what it was sent. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach } from 'vitest';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface StandIn {
  url: string;
  received: Received[];
  /** How it answers; undefined: not at all. */
  answer: ((response: ServerResponse) => void) | undefined;
  /** Resolves when it has been sent so many requests. */
  until(count: number): Promise<void>;
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A port of loopback for a server. It is closed after the test. */
export async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function standIn(status: number, type: string, body: string): Promise<StandIn> {
  const waiting: { count: number; resolve: () => void }[] = [];
  const stand: StandIn = {
    url: '',
    received: [],
    answer: (response) => response.writeHead(status, { 'content-type': type }).end(body),
    until: (count) =>
      new Promise((resolve) => {
        if (stand.received.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    try {
      for await (const part of request) parts.push(part);
    } catch {
      // The sender was killed.
      return;
    }
    const raw = Buffer.concat(parts);
    const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    const { method = '', url = '', headers } = request;
    stand.received.push({ method, path: url, headers, body: text.toString('latin1') });
    for (const { count, resolve } of waiting) if (stand.received.length >= count) resolve();
    stand.answer?.(response);
  });
  stand.url = await listen(server);
  return stand;
}

export const slackWebhook = '/services/T0/B0/s3cret';
export const routingKey = '0123456789abcdef0123456789abcdef';

/** Slack labels its `ok` so. */
export const slack = (): Promise<StandIn> => standIn(200, 'text/html', 'ok');
export const pagerDuty = (): Promise<StandIn> =>
  standIn(202, 'application/json', '{"status":"success","message":"Event processed"}');
