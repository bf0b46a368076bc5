/** The list of events and the detail of one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DESK, PHONE, picture } from './browser.mjs';
import { ask, eventually, names, opened, rows } from './opened.mjs';

const all = opened();
const cursor = (page) => page.locator('.row[aria-selected=true] .name b').textContent();

test('the token leaves the address bar, and the page can be loaded again', async () => {
  const page = await all.open();
  await rows(page).first().waitFor();
  assert.ok(!page.url().includes('token'), page.url());
  await page.reload();
  await rows(page).first().waitFor();
  assert.equal(await page.locator('#live').textContent(), 'live');
});

test('without the token the page says what to do', async () => {
  const page = await all.open();
  const other = await (await all.browser.newContext()).newPage();
  await other.goto(new URL('/', page.url()).href);
  await other.locator('#list-problem', { hasText: 'open the address that rezq printed' }).waitFor();
  assert.equal(await rows(other).count(), 0);
  await other.context().close();
});

test('the events are listed newest first, each with its kind, state and destinations', async () => {
  const page = await all.open();
  await rows(page).first().waitFor();
  const answer = await ask(page, { ask: 'list' });
  assert.deepEqual(
    await names(page),
    answer.events.map((event) => event.name || event.kind),
  );
  const dead = rows(page).filter({ hasText: 'loyalty service' });
  assert.equal(await dead.locator('.state').textContent(), '✕dead');
  assert.match(await dead.locator('.routes i').first().getAttribute('title'), /^desk.*: dead, rejected/);
  await dead.click();
  await page.locator('#detail .why', { hasText: 'dead, rejected' }).waitFor();
  await picture(page, 'events');
});

test('the keys 1 to 6 choose a state, and the list says what it shows', async () => {
  const page = await all.open();
  await rows(page).first().waitFor();
  for (const [key, state] of [
    ['2', 'queued'],
    ['3', 'dead'],
    ['5', 'delivered'],
    ['4', 'dropped'],
  ]) {
    await page.keyboard.press(key);
    const { events } = await ask(page, { ask: 'list', filter: { state } });
    await eventually(
      () => names(page),
      events.map((event) => event.name || event.kind),
    );
    assert.equal(await page.locator('#states [aria-pressed=true]').textContent(), state);
  }
  await page.locator('#count', { hasText: 'No event matches.' }).waitFor();
  await page.keyboard.press('1');
  await eventually(async () => (await rows(page).count()) > 40, true);
});

test('a search by text, by kind and since the mark narrows the list', async () => {
  const page = await all.open();
  await rows(page).first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('PAYMENT_503');
  await eventually(() => names(page), ['PaymentError the bank does not respond']);
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'rows');
  await page.fill('#text', '');
  await page.selectOption('#kind', 'revenue');
  await eventually(() => names(page), ['revenue']);
  await page.selectOption('#kind', '');
  await page.check('#since-mark');
  const { events } = await ask(page, { ask: 'list', filter: { since_mark: true } });
  await eventually(
    () => names(page),
    events.map((event) => event.name || event.kind),
  );
});

test('a condition that cannot be read is answered below the filters', async (t) => {
  const page = await all.open();
  const { error } = await ask(page, { ask: 'list', filter: { where: 'status >>> 1' } });
  if (error === undefined) return t.skip('the engine does not read conditions');
  await page.fill('#where', 'status >>> 1');
  await page.locator('#list-problem', { hasText: error.split('\n')[0] }).waitFor();
  await page.fill('#where', '');
  await rows(page).first().waitFor();
  await eventually(() => page.locator('#list-problem').isHidden(), true);
});

test('j and k move the cursor, and the detail follows', async () => {
  const page = await all.open('', { viewport: DESK });
  await rows(page).first().waitFor();
  const all_names = await names(page);
  for (const [key, at] of [
    ['j', 0],
    ['j', 1],
    ['j', 2],
    ['k', 1],
    ['ArrowDown', 2],
    ['ArrowUp', 1],
  ]) {
    await page.keyboard.press(key);
    assert.equal(await cursor(page), all_names[at]);
  }
  await page.locator('#detail h2', { hasText: all_names[1] }).waitFor();
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'detail');
  await page.keyboard.press('Escape');
  await eventually(() => page.locator('#detail .empty').count(), 1);
});

test('the detail has the payload, every destination with its sentence, both clocks and the run', async () => {
  const page = await all.open();
  await rows(page).filter({ hasText: 'PaymentError' }).click();
  const detail = page.locator('#detail');
  await detail.locator('h2', { hasText: 'PaymentError' }).waitFor();
  const id = (await page.evaluate(() => location.hash)).split('/')[2];
  const shown = await ask(page, { ask: 'show', id });
  const text = await detail.innerText();
  for (const part of [
    shown.why,
    id,
    'PAYMENT_503',
    'checkout.tsx',
    shown.run.release,
    new Date(shown.wall_ms).toISOString(),
    'Since boot',
  ])
    assert.ok(text.includes(part), part);
  for (const route of shown.event.routes) assert.ok(text.includes(route.route) && text.includes(route.text));
  await picture(page, 'detail');
  await detail.getByRole('button', { name: 'Copy JSON' }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.deepEqual(JSON.parse(copied), shown.json);
});

test('an address with an event opens it, and an unknown one says so', async () => {
  const page = await all.open();
  const { events } = await ask(page, { ask: 'list', filter: { kind: 'revenue' } });
  const other = await all.open(`#/events/${events[0].id}`);
  await other.locator('#detail .id', { hasText: events[0].id }).waitFor();
  const unknown = await all.open('#/events/019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11');
  await unknown.locator('#detail .problem').waitFor();
  const odd = await all.open('#/events/%E0%A4%A');
  await rows(odd).first().waitFor();
});

test('hostile texts are shown as texts and never run', async () => {
  const page = await all.open();
  await rows(page).filter({ hasText: '<img src=x' }).click();
  const detail = page.locator('#detail');
  await detail.locator('.tree').first().waitFor();
  // The breadcrumb of the error, too.
  await detail.locator('summary', { hasText: 'trail' }).click();
  for (const branch of await detail.locator('.branch .branch .branch > summary').all())
    if (await branch.isVisible()) await branch.click();
  const text = await detail.evaluate((node) => node.textContent);
  assert.ok(text.includes('"<script>document.title=\'owned\'</script>"'));
  assert.ok(text.includes('<img src=x onerror='));
  await page.keyboard.press('t');
  await page.locator('.item').first().waitFor();
  assert.equal(await page.title(), 'shop@1.4.0+77 · REZ Inspector');
  assert.equal(await page.locator('img, iframe, object, embed').count(), 0);
  assert.equal(await page.locator('script').count(), 2);
});

test('on a phone an event covers the list, and the way back is one tap', async () => {
  const page = await all.open('', { viewport: PHONE, hasTouch: true, colorScheme: 'dark' });
  await rows(page).first().waitFor();
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(await overflow(), 0);
  await picture(page, 'phone');
  await rows(page).nth(3).tap();
  await page.locator('#detail h2').waitFor();
  assert.ok(await page.locator('#rows').isHidden());
  assert.equal(await overflow(), 0);
  await page.locator('#detail .back').tap();
  await rows(page).first().waitFor();
  for (const view of ['timeline', 'status', 'drops']) {
    await page.locator(`[data-view=${view}]`).tap();
    await page.locator(`#view-${view}`).waitFor();
    assert.equal(await overflow(), 0, view);
  }
});

test('new events come without moving what is read', async () => {
  const page = await all.open('', { viewport: { width: 1360, height: 500 } });
  await rows(page).first().waitFor();
  const chosen = rows(page).nth(20);
  await chosen.click();
  const id = await chosen.getAttribute('id');
  const top = () => page.locator(`#${id}`).evaluate((node) => node.getBoundingClientRect().top);
  await page.locator('#rows').evaluate((node) => {
    node.scrollTop = 300;
  });
  const before = await top();
  await all.app.tell('visit 5');
  await page.locator('#fresh', { hasText: '5 new' }).waitFor();
  assert.equal(await top(), before);
  assert.equal(await page.locator('.row[aria-selected=true]').getAttribute('id'), id);
  await page.locator('#fresh').click();
  await eventually(() => page.locator('#rows').evaluate((node) => node.scrollTop), 0);
  assert.equal((await names(page))[0], 'tap Later4');
  assert.ok(await page.locator('#fresh').isHidden());
  // At the top of the list, a new event is seen at once.
  await all.app.tell('visit 1');
  await eventually(async () => (await names(page)).slice(0, 2), ['tap Later0', 'tap Later4']);
  assert.ok(await page.locator('#fresh').isHidden());
});

test('a payload that was opened stays open while events come', async () => {
  const page = await all.open();
  await rows(page).filter({ hasText: 'PaymentError' }).click();
  const branch = page.locator('#detail details', { has: page.locator('summary', { hasText: 'context' }) }).last();
  await branch.locator('summary').first().click();
  const isOpen = await branch.evaluate((node) => node.open);
  await all.app.tell('visit 1');
  await eventually(async () => (await names(page))[0], 'tap Later0');
  assert.equal(await branch.evaluate((node) => node.open), isOpen);
});

test('older events come page by page', async () => {
  const page = await all.open();
  await all.app.tell('visit 250');
  await eventually(() => rows(page).count(), 100);
  await page.locator('#older').click();
  await eventually(() => rows(page).count(), 200);
  await page.locator('#older').click();
  await eventually(() => rows(page).count(), 300);
  assert.equal(new Set(await rows(page).evaluateAll((nodes) => nodes.map((node) => node.id))).size, 300);
  // With the cursor at the end, the next page comes by itself.
  await rows(page).last().click();
  await page.keyboard.press('j');
  await eventually(async () => (await rows(page).count()) > 300, true);
});

test('nothing moves while the page loads and events come', async () => {
  const page = await all.open();
  await rows(page).first().waitFor();
  await all.app.tell('visit 3');
  await eventually(async () => (await names(page))[0], 'tap Later2');
  const moved = await page.evaluate(
    () =>
      new Promise((resolve) => {
        let sum = 0;
        const observer = new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) sum += entry.value;
        });
        observer.observe({ type: 'layout-shift', buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
      }),
  );
  assert.ok(moved < 0.05, String(moved));
});

test('every control has a name', async () => {
  const page = await all.open();
  await rows(page).first().waitFor();
  const controls =
    'button:not([hidden]), select, input, a, [role=listbox], [role=option], [role=region], [role=group], section, article';
  const nameless = await page
    .locator(controls)
    .evaluateAll((nodes) =>
      nodes
        .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim() || node.closest('label')))
        .map((node) => node.outerHTML.slice(0, 120)),
    );
  assert.deepEqual(nameless, []);
});

test('a page that nobody sees does not listen, and catches up when it is seen', async () => {
  const page = await all.open();
  const listening = new Set();
  let begun = 0;
  const ifListens = (then) => (request) => request.url().includes('/changes') && then(request);
  page.on(
    'request',
    ifListens((request) => {
      listening.add(request);
      begun += 1;
    }),
  );
  for (const end of ['requestfinished', 'requestfailed'])
    page.on(
      end,
      ifListens((request) => listening.delete(request)),
    );
  await page.reload();
  await rows(page).first().waitFor();
  await eventually(() => listening.size, 1);
  const turn = (isHidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, isHidden);
  await turn(true);
  // Between two requests there is none that fails.
  await eventually(() => listening.size, 0);
  begun = 0;
  await all.app.tell('visit 7');
  assert.equal(begun, 0);
  await turn(false);
  await eventually(async () => (await names(page))[0], 'tap Later6');
});

test('when the app ends the page says so and keeps what it has', async () => {
  const { startApp } = await import('./app.mjs');
  const { newPage } = await import('./browser.mjs');
  const app = await startApp();
  try {
    const page = await newPage(all.browser);
    // The browser prints an error for each request that is refused.
    page.mayFail = true;
    all.pages.push(page);
    await page.goto(app.url);
    await rows(page).first().waitFor();
    const shown = await rows(page).count();
    await app.kill();
    await page.locator('#live[data-state=off]').waitFor();
    assert.equal(await rows(page).count(), shown);
    await page.keyboard.press('r');
    await page.locator('#list-problem', { hasText: 'rezq cannot be reached' }).waitFor();
    assert.equal(await rows(page).count(), shown);
  } finally {
    await app.stop();
  }
});
