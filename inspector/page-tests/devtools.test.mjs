/** The page in developer tools: apps come and go, servers end, and other clients are on the same socket. */
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { newPage } from './browser.mjs';
import { answerOf, openInRozenite, startExpo } from './devtools.mjs';
import { ask, opened, rows } from './opened.mjs';

const servers = [];
const all = opened();
let answer;

async function expo(port) {
  const server = await startExpo(port);
  servers.push(server);
  answer ??= answerOf(all.app);
  return server;
}

async function open(server, search = '') {
  const page = await newPage(all.browser);
  all.pages.push(page);
  await page.goto(server.url + search);
  return page;
}

const isLive = (page) => page.locator('#live[data-state=on]').waitFor();
const says = (page, text) =>
  page
    .locator('#live[data-state=off]')
    .and(page.locator(`[title*="${text}"]`))
    .waitFor();

async function stopAll() {
  for (const server of servers.splice(0)) await server.stop();
}
afterEach(stopAll);
after(stopAll);

test('in Expo the page shows what is recorded, and its buttons act', async () => {
  const server = await expo();
  await server.app('ios-1', answer);
  const page = await open(server);
  await isLive(page);
  await rows(page).first().waitFor();
  await page.keyboard.press('m');
  await page.locator('dialog[open] input').fill('tapped Pay');
  await page.keyboard.press('Enter');
  await rows(page).filter({ hasText: 'tapped Pay' }).waitFor();
  assert.ok((await ask(page, { tell: 'send_now' })).destinations.length > 0);
});

test('without an app the page says what to call, and an app that starts is shown', async () => {
  const server = await expo();
  const page = await open(server);
  await says(page, 'useRezMonitorDevTools()');
  const app = await server.app('ios-1', answer);
  app.reply('app', { protocol: 1, name: 'ios-1', new: true });
  await isLive(page);
  await rows(page).first().waitFor();
});

test('several apps are named, and the address chooses one', async () => {
  const server = await expo();
  await server.app('ios-1', answer);
  await server.app('android-2', async () => '{"version":7}');
  await says(await open(server), 'Several apps are connected: android-2, ios-1');
  const chosen = await open(server, '?app=android-2');
  assert.deepEqual(await ask(chosen, { ask: 'version' }), { version: 7 });
  await says(await open(server, '?app=ios-3'), 'No app ios-3 is connected. Connected: android-2, ios-1');
});

test('a server that ends and starts again is found again', async () => {
  const server = await expo();
  await server.app('ios-1', answer);
  const page = await open(server);
  page.mayFail = true;
  await isLive(page);
  await server.stop();
  servers.pop();
  await says(page, 'npx expo start');
  const next = await expo(server.port);
  await next.app('ios-1', answer);
  await isLive(page);
});

test('an app that is loaded again gets a question again, and an order never', async () => {
  const server = await expo();
  const seen = [];
  await server.join(({ messageKey, payload }, reply) => {
    if (messageKey?.method === 'who') reply('app', { protocol: 1, name: 'ios-1', new: false });
    if (messageKey?.method !== 'request') return;
    const { text, tell } = JSON.parse(payload.request);
    if (text !== 'again' && tell === undefined) return reply('answer', { id: payload.id, answer: '{"version":1}' });
    seen.push(payload.id);
    if (seen.length % 2 === 1) reply('app', { protocol: 1, name: 'ios-1', new: true });
    else reply('answer', { id: payload.id, answer: '{"done":true}' });
  });
  const page = await open(server);
  page.mayFail = true;
  assert.deepEqual(await ask(page, { ask: 'list', text: 'again' }), { done: true });
  assert.equal(seen[0], seen[1]);
  assert.match((await ask(page, { tell: 'send_now' })).error, /started again before it answered/);
  assert.deepEqual(await ask(page, { tell: 'send_now' }), { done: true });
  assert.equal(seen.length, 4);
});

test('frames of other plugins, names that are none, and answers to others are left alone', async () => {
  const server = await expo();
  await server.join(({ messageKey, payload, browserClientId }, reply, raw) => {
    if (browserClientId) {
      for (const frame of [
        7,
        null,
        [],
        {},
        { messageKey: null },
        { messageKey: { pluginName: 'other', method: 'app' } },
      ])
        raw(frame);
      raw({ messageKey: { pluginName: '@rez/monitor', method: 'constructor' }, payload: {} });
      raw({ method: 'terminateBrowserClient', browserClientId, protocolVersion: 1, __isHandshakeMessages: true });
    }
    if (messageKey?.method === 'who')
      for (const name of ['<script>', '', 7, 'n'.repeat(65), 'ios-1']) reply('app', { protocol: 1, name });
    if (messageKey?.method !== 'request') return;
    reply('answer', { id: 'another', answer: '{"version":2}' });
    reply('answer', { id: payload.id, answer: 7 });
    reply('answer', null);
    reply('answer', { id: payload.id, answer: '{"version":1}' });
  });
  const page = await open(server);
  page.mayFail = true;
  assert.deepEqual(await ask(page, { ask: 'version' }), { version: 1 });
});

test('an answer that is no object is a sentence', async () => {
  const server = await expo();
  await server.app('ios-1', async () => 'no json');
  const page = await open(server);
  page.mayFail = true;
  assert.match((await ask(page, { ask: 'status' })).error, /no JSON object/);
});

test('another version of the messages or of the frames is named', async () => {
  const server = await expo();
  await server.join(({ messageKey }, reply) => {
    if (messageKey?.method === 'who') reply('app', { protocol: 2, name: 'ios-1' });
  });
  await says(await open(server), 'The app has version 2');
  const other = await expo();
  await other.join(({ browserClientId }, _, raw) => {
    const end = { method: 'terminateBrowserClient', protocolVersion: 3, __isHandshakeMessages: true };
    if (browserClientId) raw({ ...end, browserClientId });
  });
  await says(await open(other), 'The app uses version 3');
});

test('in a frame the page asks what shows it, opens no socket, and hears no other window', async () => {
  const server = await expo();
  const page = await newPage(all.browser);
  all.pages.push(page);
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.addInitScript(() => {
    const forged = { pluginId: '@rez/monitor', type: 'app', payload: { protocol: 1, name: 'other', new: true } };
    if (window !== parent) setInterval(() => window.postMessage(forged, '*'), 20);
  });
  const frame = await openInRozenite(page, server.url, answer);
  await frame.locator('#live[data-state=on]').waitFor();
  await frame.locator('.row').first().waitFor();
  assert.ok((await ask(frame, { ask: 'about' })).app);
  assert.deepEqual(sockets, []);
});
