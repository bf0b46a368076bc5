/** Each carrier answers the same requests alike: the page shows the same whatever it is opened with. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ask, opened } from './opened.mjs';
import { newPage } from './browser.mjs';
import { answerOf, openInRozenite, startExpo } from './devtools.mjs';

const carriers = {};
let events;
let server;

const all = opened(async ({ app, browser }) => {
  const live = await newPage(browser);
  await live.goto(app.url);
  await app.tell(`save ${app.file('saved.html')}`);
  const saved = await newPage(browser);
  await saved.goto(pathToFileURL(app.file('saved.html')).href);
  server = await startExpo();
  await server.app('ios-1', answerOf(app));
  const expo = await newPage(browser);
  await expo.goto(server.url);
  const rozenite = await openInRozenite(await newPage(browser), server.url, answerOf(app));
  Object.assign(carriers, { http: live, saved, expo, rozenite });
  events = await pagesOf(live, {});
});

after(() => server?.stop());

/** All events of a filter, over all pages. */
async function pagesOf(page, filter, limit = 7) {
  const found = [];
  let before = null;
  do {
    const answer = await ask(page, { ask: 'list', filter, before, limit });
    assert.equal(answer.error, undefined);
    assert.ok(answer.events.length <= limit);
    found.push(...answer.events);
    before = answer.before;
  } while (before !== null);
  return found;
}

async function alike(read) {
  const expected = await read(carriers.http);
  for (const [name, page] of Object.entries(carriers)) assert.deepEqual(await read(page), expected, name);
  return expected;
}

test('the events of every filter are the same, in the same order', async () => {
  assert.ok(events.length > 40);
  for (const filter of [
    {},
    null,
    { kind: 'api_call' },
    { kind: 'crash' },
    { state: 'queued' },
    { state: 'dead' },
    { state: 'delivered' },
    { state: 'dropped' },
    { text: 'PaymentError' },
    { text: 'no event has this' },
    { text: '<script>' },
    { since_mark: true },
    { since_mark: true, kind: 'error' },
    { kind: 'error', state: 'delivered', text: 'bank' },
  ])
    await alike((page) => pagesOf(page, filter));
});

test('the filters on level, lane, session and time are the same', async (t) => {
  if (events[0].lane === undefined) return t.skip('the engine does not know these filters');
  const { session } = events[0];
  for (const filter of [
    { level: 'error' },
    { lane: 'bulk' },
    { session },
    { session: 'none' },
    { since_ms: events[10].wall_ms },
  ]) {
    const found = await alike((page) => pagesOf(page, filter));
    assert.ok(found.length < events.length || filter.session === session);
  }
});

test('a list with payloads is the same', async (t) => {
  const answer = await ask(carriers.http, { ask: 'list', limit: 3, json: true });
  if (answer.events[0].json === undefined) return t.skip('the engine does not list payloads');
  await alike((page) => ask(page, { ask: 'list', limit: 3, json: true }));
});

test('every event is shown alike, and what became of it', async () => {
  for (const { id } of events) {
    await alike((page) => ask(page, { ask: 'show', id }));
    await alike((page) => ask(page, { ask: 'why', id }));
  }
});

test('the status and the drops are the same', async () => {
  await alike((page) => ask(page, { ask: 'status' }));
  await alike((page) => ask(page, { ask: 'drops' }));
});

test('what is wrong is an answer with a sentence', async () => {
  for (const request of [
    { ask: 'show', id: '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11' },
    { ask: 'why' },
    { ask: 'everything' },
    {},
    { tell: 'burn' },
  ])
    for (const [name, page] of Object.entries(carriers)) {
      const { error, why } = await ask(page, request);
      assert.ok((error ?? why)?.length > 10, `${name}: ${JSON.stringify(request)}`);
    }
});

test('a condition is answered alike by every carrier of an app', async () => {
  const { saved, ...live } = carriers;
  for (const where of ['status>=500', 'name ~ "*pay*", kind = api_call', 'status >']) {
    const answers = await Promise.all(
      Object.values(live).map((page) => ask(page, { ask: 'list', filter: { where }, limit: 50 })),
    );
    for (const answer of answers) assert.deepEqual(answer, answers[0], where);
  }
});

test('a saved page offers nothing that it cannot do', async () => {
  const about = await ask(carriers.saved, { ask: 'about' });
  assert.deepEqual(about.can, []);
  assert.deepEqual(await carriers.saved.locator('#actions button').allTextContents(), ['?']);
  for (const request of [{ tell: 'send_now' }, { tell: 'mark', text: 'x' }])
    assert.match((await ask(carriers.saved, request)).error, /saved/);
  assert.match((await ask(carriers.saved, { ask: 'list', filter: { where: 'status>=500' } })).error, /saved page/);
});

test('a saved page shows all views without a request, and its hostile texts as text', async () => {
  const page = await newPage(all.browser);
  all.pages.push(page);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  const address = pathToFileURL(all.app.file('saved.html')).href;
  await page.goto(address);
  await page.locator('.row').first().waitFor();
  assert.equal(await page.locator('.row').count(), events.length);
  await page.locator('.row', { hasText: '<img src=x' }).click();
  await page.locator('#detail .tree').first().waitFor();
  for (const key of ['t', 's', 'd']) await page.keyboard.press(key);
  await page.keyboard.press('t');
  await page.locator('.item').first().waitFor();
  assert.match(await page.title(), /REZ Inspector/);
  assert.deepEqual(
    asked.filter((url) => url !== address && !url.startsWith('data:')),
    [],
  );
});

test('a number of 64 bits keeps all its digits', async () => {
  const id = events.find((event) => event.name === 'view_item').id;
  for (const [name, page] of Object.entries(carriers)) {
    const digits = await page.evaluate(async (asked) => writeJson(await carrierOfPage().ask(asked)), {
      ask: 'show',
      id,
    });
    assert.match(digits, /"stock":9007199254740993[,}]/, name);
  }
});
