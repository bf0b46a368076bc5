/** One server on this machine: the build of the web, the engine of its page, the shop's API, and a collector. */
import fs from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { shop } from '../../example/server.mjs';
import { API_HOST } from './app.mjs';
import { startEngine } from './engine.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.png': 'image/png', '.ico': 'image/x-icon' };

export async function startSite(build) {
  const calls = [];
  const events = [];
  let isUp = false;
  const api = shop({ slowMs: 10, log: (line) => calls.push(line) });
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://site');
    if (request.headers.host === API_HOST) return api(request, response);
    if (pathname.startsWith('/engine/')) {
      const args = JSON.parse((await body(request)).toString());
      return json(response, await engine.answer(pathname.slice('/engine/'.length), args));
    }
    if (pathname === '/v1/batch') {
      if (!isUp) return response.writeHead(503).end();
      const batch = JSON.parse((await body(request)).toString());
      events.push(...batch.events);
      return json(response, { batch_id: batch.batch_id, accepted: batch.events.length });
    }
    return file(response, path.join(build, path.normalize(pathname)));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  const origin = `http://127.0.0.1:${port}`;
  const engine = startEngine(origin);

  /** Every route of the app is the same page. */
  function file(response, name) {
    const known = fs.existsSync(name) && fs.statSync(name).isFile() ? name : path.join(build, 'index.html');
    response.writeHead(200, { 'content-type': TYPES[path.extname(known)] ?? 'application/octet-stream' });
    response.end(fs.readFileSync(known));
  }

  return {
    origin,
    port,
    engine,
    /** Lines of the shop's API. */
    calls,
    /** What the collector has received. It answers 503 until `collect()`, so that everything stays in the queue. */
    events,
    collect() {
      isUp = true;
    },
    async close() {
      await engine.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  const sent = Buffer.concat(parts);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
}

function json(response, value) {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
