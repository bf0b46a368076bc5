/** Developer tools around a running app: a server that relays as Metro does, and a page that shows a frame as Rozenite does. */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { WebSocket, WebSocketServer } from 'ws';

/** The page that the package `@rez/monitor` contains. */
const PAGE = path.resolve(import.meta.dirname, '../../react-native/dist/index.html');
const PLUGIN = '@rez/monitor';
const SOCKET = '/expo-dev-plugins/broadcast';
const AT = `/_expo/plugins/${PLUGIN}/`;

/** The answer of a running app to the text of a request, as text. */
export function answerOf(app) {
  const url = new URL(app.url);
  const authorization = `Bearer ${url.searchParams.get('token')}`;
  const headers = { authorization, 'content-type': 'application/json' };
  return async (body) => (await fetch(new URL('/inspect', url), { method: 'POST', headers, body })).text();
}

/**
 * An Expo server, with the page and its socket. `join(hear)`: another client; `hear(frame, reply)` gets each frame and replies with
 * `reply(method, payload)`. `app(name, answer)`: a client that answers as the package does. `stop()` ends all connections, `start()`
 * listens again on the same port.
 */
export async function startExpo(port = 0) {
  const server = http.createServer((request, response) => {
    if (request.url.split('?')[0] !== AT) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(fs.readFileSync(PAGE));
  });
  const sockets = new WebSocketServer({ server, path: SOCKET });
  sockets.on('connection', (from) => {
    from.on('message', (data, binary) => {
      for (const to of sockets.clients) if (to !== from && to.readyState === WebSocket.OPEN) to.send(data, { binary });
    });
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const host = `127.0.0.1:${server.address().port}`;

  async function join(hear) {
    const socket = new WebSocket(`ws://${host}${SOCKET}`);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const raw = (frame) => socket.send(JSON.stringify(frame));
    const reply = (method, payload) => raw({ messageKey: { pluginName: PLUGIN, method }, payload });
    socket.on('message', (data) => hear(JSON.parse(data), reply, raw));
    return { reply, close: () => socket.close() };
  }

  return {
    host,
    url: `http://${host}${AT}`,
    port: server.address().port,
    join,
    app: (name, answer) =>
      join(async ({ messageKey, payload }, reply) => {
        if (messageKey?.method === 'who') reply('app', { protocol: 1, name, app: 'shop', new: false });
        if (messageKey?.method === 'request' && payload.to === name)
          reply('answer', { id: payload.id, answer: await answer(payload.request) });
      }),
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Shows the page in a frame, and passes its messages to an app as Rozenite does. Returns the frame. */
export async function openInRozenite(page, source, answer) {
  await page.exposeFunction('toApp', async ({ pluginId, type, payload }) => {
    if (pluginId !== PLUGIN) return null;
    if (type === 'who')
      return { pluginId, type: 'app', payload: { protocol: 1, name: 'ios-1', app: 'shop', new: false } };
    return { pluginId, type: 'answer', payload: { id: payload.id, answer: await answer(payload.request) } };
  });
  // A document of another origin than the page, as that of React Native DevTools.
  await page.evaluate(async (src) => {
    const frame = document.createElement('iframe');
    frame.style = 'width: 100%; height: 95vh';
    addEventListener('message', async ({ source, data }) => {
      if (source !== frame.contentWindow || data.type !== 'rozenite-message') return;
      const reply = await toApp(data.payload);
      if (reply !== null) frame.contentWindow.postMessage(reply, '*');
    });
    frame.src = src;
    document.body.append(frame);
    await new Promise((resolve) => {
      frame.onload = resolve;
    });
  }, source);
  const [frame] = page.mainFrame().childFrames();
  return frame;
}
