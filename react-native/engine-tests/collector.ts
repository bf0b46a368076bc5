/** An HTTP server on this machine that keeps what it receives. It ends with its test. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  /** Without its compression. */
  body: Buffer;
}

const running: Collector[] = [];

export class Collector {
  readonly requests: Received[] = [];
  /** The status of later answers. */
  status = 200;
  /** The body of later answers. Default: the backend of the team has accepted all. */
  answer: (request: Received) => string = accepted;

  private constructor(private readonly server: Server) {}

  static start(): Promise<Collector> {
    const server = createServer();
    const collector = new Collector(server);
    running.push(collector);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const sent = Buffer.concat(parts);
        const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
        const received = { path: request.url ?? '', headers: request.headers, body };
        collector.requests.push(received);
        response.writeHead(collector.status, { 'content-type': 'application/json' }).end(collector.answer(received));
      });
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(collector)));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The settings of a destination that sends here. */
  destination(name = 'team'): object {
    return { name, kind: 'rez', endpoint: this.url, key: 'write-key' };
  }

  /** The events of all requests, for destinations of kind `rez`. */
  events(): Record<string, unknown>[] {
    return this.requests.flatMap(({ body }) => JSON.parse(body.toString()).events);
  }

  /** Ends those that a test has started. */
  static async closeAll(): Promise<void> {
    for (const { server } of running.splice(0)) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}

/** An answer of Mixpanel, which has taken everything. */
export function mixpanelAccepts({ path, body }: Received): string {
  if (!path.startsWith('/import')) return '{"error": null, "status": 1}';
  return JSON.stringify({ code: 200, num_records_imported: JSON.parse(body.toString()).length, status: 'OK' });
}

function accepted({ body }: Received): string {
  const { batch_id, events } = JSON.parse(body.toString());
  return JSON.stringify({ batch_id, accepted: events.length });
}
