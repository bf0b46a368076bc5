/** Real servers on free ports, ended after the tests of a file. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll } from 'vitest';

const ends: (() => unknown)[] = [];

afterAll(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Calls `end` after the tests of a file. */
export function atEnd(end: () => unknown): void {
  ends.push(end);
}

/** An HTTP server. `handler` is an app of Express, or a function. */
export async function served(handler: unknown): Promise<{ url: string; port: number; server: Server }> {
  const server = createServer(handler as RequestListener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, server };
}

/** Sends requests in one write over one connection, each a path and lines of its head, and returns all answers. */
export async function pipelined(port: number, requests: readonly (readonly string[])[]): Promise<string> {
  const heads = requests.map(([path, ...lines], at) => {
    const last = at === requests.length - 1 ? ['Connection: close'] : [];
    return `${[`GET ${path} HTTP/1.1`, 'Host: a', ...lines, ...last].join('\r\n')}\r\n\r\n`;
  });
  const socket = connect(port, '127.0.0.1');
  socket.write(heads.join(''));
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}
