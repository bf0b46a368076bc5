/** What of the example app needs no browser: its types, its native bundle, its API. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { product, shop } from '../../example/server.mjs';
import { exported, missing, tool } from './app.mjs';

const skip = missing();

test('the types of the app are those of the package', { skip }, () => {
  tool('typescript/bin/tsc', '--noEmit');
});

test('the bundle for Android has a debug id, looks for the native module, and for no engine of a page', {
  skip,
}, () => {
  const files = fs.readdirSync(exported('android'), { recursive: true, withFileTypes: true });
  const [bundle, ...others] = files.filter(({ name }) => /^entry-.*\.js$/.test(name));
  assert.deepEqual(others, []);
  const code = fs.readFileSync(path.join(bundle.parentPath, bundle.name), 'utf8');
  assert.match(code, /\n\/\/# debugId=[0-9a-f-]{36}\s*$/);
  assert.ok(code.includes('RezMonitor'));
  assert.ok(!code.includes('__REZ_MONITOR_ENGINE__'));
});

describe("the shop's API", () => {
  const lines = [];
  let server;
  let origin;
  before(async () => {
    server = createServer(shop({ slowMs: 1, log: (line) => lines.push(line) }));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const post = (route, body) =>
    fetch(origin + route, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });

  test('has the 24 products of the demo shop, each with a picture', async () => {
    const products = await (await fetch(`${origin}/products`)).json();
    assert.equal(products.length, 24);
    assert.deepEqual(products[2], { id: 3, name: 'Clay cup no. 3', price: 160, image: '/images/3.png' });
    assert.deepEqual(await (await fetch(`${origin}/products/3`)).json(), product(3));
    const picture = Buffer.from(await (await fetch(origin + products[2].image)).arrayBuffer());
    const pixels = picture.indexOf('IDAT');
    const length = picture.readUInt32BE(pixels - 4);
    assert.equal(inflateSync(picture.subarray(pixels + 4, pixels + 4 + length)).length, 100 * (1 + 140 * 3));
  });

  test('adds up the cart, and empties it with the payment', async () => {
    await post('/cart', { id: 3, quantity: 1 });
    const cart = await (await post('/cart', { id: 3, quantity: 1 })).json();
    assert.deepEqual(cart, { items: 1, total: 320 });
    const receipt = await (await post('/pay', { amount: 320, fault: 'none' })).json();
    assert.deepEqual([receipt.amount, receipt.currency], [320, 'INR']);
    assert.deepEqual(await (await post('/cart', { id: 1, quantity: 1 })).json(), { items: 1, total: 86 });
  });

  test('a payment has the fault that it asks for', async () => {
    for (const [fault, status] of [
      ['none', 200],
      ['slow', 200],
      ['503', 503],
      ['declined', 402],
    ]) {
      assert.equal((await post('/pay', { amount: 1, fault })).status, status, fault);
    }
    const waiting = new AbortController();
    const unanswered = fetch(`${origin}/pay`, { method: 'POST', body: '{"fault":"timeout"}', signal: waiting.signal });
    await post('/pay', { amount: 1 });
    waiting.abort();
    await assert.rejects(unanswered, { name: 'AbortError' });
  });

  test('wrong requests are answered with what is wrong', async () => {
    for (const route of ['/products/0', '/products/25', '/products/x', '/images/25.png', '/images/3.gif', '/nothing']) {
      assert.equal((await fetch(origin + route)).status, 404, route);
    }
    assert.equal((await post('/cart', { id: 3, quantity: 0 })).status, 422);
    assert.equal((await post('/cart', { id: '3', quantity: 1 })).status, 404);
    for (const body of ['{', '[]', '3', `"${'x'.repeat(100_000)}"`]) {
      assert.equal((await post('/pay', body)).status, 400, body.slice(0, 10));
    }
  });

  test('goes on after a client that leaves in the middle of its request', async () => {
    const socket = net.connect(server.address().port, '127.0.0.1');
    socket.write('POST /pay HTTP/1.1\r\nhost: shop\r\ncontent-length: 100\r\n\r\n{"amount":');
    await once(server, 'request');
    socket.destroy();
    assert.equal((await post('/pay', { amount: 1 })).status, 200);
  });

  test('prints what arrives, and lets a page of another port call', async () => {
    const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const answer = await fetch(`${origin}/products/3`, { headers });
    assert.equal(lines.at(-1), `GET /products/3 {} ${headers.traceparent}`);
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    const asked = { method: 'OPTIONS', headers: { 'access-control-request-headers': 'traceparent' } };
    const allowed = await fetch(`${origin}/pay`, asked);
    assert.equal(allowed.headers.get('access-control-allow-headers'), 'traceparent');
  });
});
