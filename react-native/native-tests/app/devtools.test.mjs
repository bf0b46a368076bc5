/** The inspector in the developer tools of a real app: `expo start`, `rezq`, Expo's menu, and Rozenite. */
import assert from 'node:assert/strict';
import { fork, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { newWindow, missing as noBrowser, startBrowser } from '../example/browser.mjs';
import { missing as noEngine } from '../example/engine.mjs';
import { environment } from '../expo.mjs';
import { monitor, shop } from './shop.mjs';

const PLUGIN = '@rez/monitor';
const DEADLINE_MS = 300_000;
const why = noEngine() || noBrowser();
const built = path.join(import.meta.dirname, '../../../target/debug/rezq');
const rezq = path.resolve(process.env.REZ_REZQ ?? built);
const noRezq = why || (!fs.existsSync(rezq) && 'no rezq: cargo build --package rez-inspect, or set REZ_REZQ');
const ofShop = createRequire(path.join(shop, 'package.json'));

/** What runs, in the order in which it was started. */
const running = [];
const problems = [];
let origin;
let app;
let browser;
let bindings = () => {};
const delivered = [];

const freePort = async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
};

async function listening(server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  running.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** A backend of the team that takes everything. */
const backend = () =>
  listening(
    http.createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      const { gunzipSync } = await import('node:zlib');
      const body = Buffer.concat(parts);
      const { batch_id, events } = JSON.parse(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body);
      delivered.push(...events);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ batch_id, accepted: events.length }));
    }),
  );

/** A child that ends with the tests. */
function runs(child) {
  running.push(
    () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('exit', resolve);
        child.kill('SIGKILL');
      }),
  );
  return child;
}

/** Starts `expo start`, and waits until it serves the plugin. */
async function startExpo() {
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  const cli = ofShop.resolve('expo/bin/cli');
  const options = { cwd: shop, env: environment(path.join(shop, '.cache')), stdio: ['ignore', 'pipe', 'pipe'] };
  const child = runs(spawn(process.execPath, [cli, 'start', '--port', String(port)], options));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text));
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const answer = await fetch(`${origin}/_expo/plugins/${PLUGIN}/`).catch(() => undefined);
    if (answer?.ok) return answer.text();
    if (child.exitCode !== null || Date.now() > end) throw new Error(`expo start: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function startApp(endpoint) {
  const env = { ...process.env, NODE_ENV: 'development' };
  app = runs(fork(path.join(import.meta.dirname, 'headless.cjs'), [shop, origin, endpoint], { cwd: shop, env }));
  app.on('message', ({ binding }) => binding && bindings(JSON.parse(binding)));
  await new Promise((resolve, reject) => {
    app.once('exit', (code) => reject(new Error(`the app ended with ${code}`)));
    app.on('message', ({ ready }) => ready && resolve());
  });
}

let served;
before(async () => {
  if (why) return;
  served = await startExpo();
  await startApp(await backend());
  browser = await startBrowser({});
  running.push(() => browser.close());
});
after(async () => {
  for (const stop of running.reverse()) await stop();
});

/** Lists, asks why, marks and sends in the page, as a tester does. */
async function useThePage(page, mark) {
  await page.locator('#live[data-state=on]').waitFor();
  await page.locator('.row', { hasText: 'begin_checkout' }).click();
  await page.locator('#detail', { hasText: 'rez/rez.batch' }).waitFor();
  await page.locator('#detail', { hasText: '9007199254740993' }).waitFor();
  const told = (request) => page.evaluate((asked) => carrierOfPage().ask(asked), request);
  assert.ok((await told({ tell: 'mark', text: mark })).id);
  const { destinations } = await told({ tell: 'send_now' });
  assert.deepEqual(
    destinations.map(({ destination, left }) => [destination, left]),
    [['rez', 0]],
  );
  assert.ok(delivered.some(({ message }) => message === mark));
  assert.match(await page.locator('#detail').textContent(), /delivered/);
}

test('expo start serves the page of the package', { skip: why }, () => {
  assert.equal(served, fs.readFileSync(path.join(monitor, 'dist/index.html'), 'utf8'));
});

test('Metro finds the client of Expo in a debug bundle', { skip: why }, async () => {
  const at = `${origin}/node_modules/expo-router/entry.bundle?platform=android&dev=true&minify=false&lazy=false`;
  const bundle = await (await fetch(at)).text();
  assert.match(bundle, /expo-dev-plugins\/broadcast/);
  assert.match(bundle, /__FUSEBOX_REACT_DEVTOOLS_DISPATCHER__/);
});

test('in Expo the page lists, says why, marks and sends', { skip: why }, async () => {
  const page = await newWindow(browser, problems);
  page.setDefaultTimeout(120_000);
  await page.goto(`${origin}/_expo/plugins/${PLUGIN}/`);
  await useThePage(page, 'tapped Pay in Expo');
  assert.deepEqual(problems, []);
});

/** Runs `rezq` on the app, beside this process, in which the backend is. */
async function asked(command, name, ...rest) {
  const child = spawn(rezq, [command, `expo:${new URL(origin).port}${name}`, ...rest]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += text));
  child.stderr.on('data', (text) => (err += text));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { code, out, err };
}

test('rezq asks the app through Metro, and names it when it is asked for another', { skip: noRezq }, async () => {
  const status = await asked('status', '');
  assert.match(status.out, /rez\/rez\.batch.*✓ balanced/s);
  assert.deepEqual([status.code, status.err], [0, '']);
  const listed = JSON.parse((await asked('list', '', '--where', 'name = begin_checkout', '--json')).out.split('\n')[0]);
  assert.match((await asked('why', '', listed.id)).out, /^rez\/rez\.batch: delivered/);
  assert.equal((await asked('mark', '', 'tapped Pay in a script')).code, 0);
  assert.equal((await asked('send-now', '')).code, 0);
  assert.ok(delivered.some(({ message }) => message === 'tapped Pay in a script'));
  const other = await asked('status', '/ios-none');
  assert.equal(other.code, 3);
  const [, name] = other.err.match(/no app `ios-none` .*connected: (android-[\da-f]{4})/);
  assert.equal((await asked('status', `/${name}`)).code, 0);
});

/** The plugin as the menu of `expo start` has it. */
async function menu() {
  const cli = createRequire(ofShop.resolve('expo/package.json')).resolve('@expo/cli/package.json');
  const manager = path.join(path.dirname(cli), 'build/src/start/server/DevToolsPluginManager.js');
  const { default: Manager } = (await import(pathToFileURL(manager))).default;
  const plugins = await new Manager(shop).queryPluginsAsync();
  return plugins.find(({ packageName }) => packageName === PLUGIN);
}

test('the menu of expo start has commands, and each answers in time', { skip: why }, async () => {
  const plugin = await menu();
  assert.deepEqual(
    plugin.cliExtensions.commands.map(({ name }) => name),
    ['status', 'list', 'why', 'send-now', 'mark', 'doctor'],
  );
  const run = async (command, args = {}) => {
    const lines = await plugin.executor.execute({ command, args, metroServerOrigin: origin });
    assert.ok(lines.every(({ type }) => type === 'text'));
    return { text: lines.map(({ text }) => text).join('\n'), levels: new Set(lines.map(({ level }) => level)) };
  };
  assert.match((await run('status')).text, /rez\/rez\.batch/);
  const { text } = await run('mark', { text: 'from the menu \u001b[2J' });
  assert.match(text, /marked from the menu \ufffd\[2J: [\da-f-]{36}/);
  const id = text.slice(-36);
  assert.match((await run('list')).text, new RegExp(`${id}.*from the menu`));
  assert.match((await run('why', { event: id.slice(0, 30) })).text, /rez\/rez\.batch/);
  assert.match((await run('send-now')).text, /rez: \d+ delivered/);
  assert.match((await run('doctor')).text, /^✗ [a-z ]+: .+\n {2}.+|^nothing is wrong$/);
  for (const event of ['no id', '99999999', '']) {
    const { text: problem, levels } = await run('why', { event });
    assert.deepEqual([...levels], ['error'], problem);
  }
  const lines = await plugin.executor.execute({ command: 'status', args: {}, metroServerOrigin: 'http://127.0.0.1:1' });
  assert.match(lines[0].text, /npx expo start/);
});

/** React Native DevTools around the panel: Rozenite's middleware serves it, and messages go to the dispatcher of React Native. */
async function openPanel(page) {
  const { initializeRozenite } = await import(
    pathToFileURL(ofShop.resolve('@rozenite/middleware').replace('.cjs', '.js'))
  );
  const { middleware, dispose } = await initializeRozenite({ projectRoot: shop, logLevel: 'error' });
  running.push(dispose);
  const at = await listening(
    http.createServer((request, response) => {
      if (request.url !== '/') return middleware(request, response);
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><link rel="icon" href="data:,">');
    }),
  );
  const plugin = `/rozenite/plugins/${PLUGIN.replace('/', '_')}`;
  const { panels } = await (await fetch(`${at}${plugin}/rozenite.json`)).json();
  await page.exposeFunction('toApp', (message) => app.send({ domain: message }));
  await page.goto(at);
  bindings = ({ domain, message }) =>
    domain === 'rozenite' &&
    page.evaluate((heard) => document.querySelector('iframe')?.contentWindow.postMessage(heard, '*'), message);
  await page.evaluate((source) => {
    const frame = document.createElement('iframe');
    frame.style = 'width: 100%; height: 95vh';
    addEventListener('message', ({ source, data }) => {
      if (source === frame.contentWindow && data.type === 'rozenite-message') toApp(JSON.stringify(data.payload));
    });
    frame.src = source;
    document.body.append(frame);
  }, plugin + panels[0].source);
  return (await (await page.waitForSelector('iframe')).contentFrame()) ?? assert.fail('no frame');
}

test('in React Native DevTools the panel of Rozenite lists, says why, marks and sends', { skip: why }, async () => {
  const page = await newWindow(browser, problems);
  page.setDefaultTimeout(120_000);
  await useThePage(await openPanel(page), 'tapped Pay in Rozenite');
  assert.deepEqual(problems, []);
});
