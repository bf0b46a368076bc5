/** The page of `rezq collect --open`: what arrives, from whom, and what is wrong with it. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { newPage, picture, startBrowser } from './browser.mjs';
import { event, startCollector } from './collect.mjs';
import { ask, eventually, names, rows } from './opened.mjs';

const plan = {
  plan: 1,
  events: [
    {
      kind: 'analytics',
      name: 'purchase',
      attrs: { type: 'object', properties: { price: { type: 'number' } }, required: ['price'] },
    },
  ],
  unknown: 'allow',
};
let collector;
let browser;
const pages = [];

before(async () => {
  [collector, browser] = await Promise.all([startCollector(plan), startBrowser()]);
});
afterEach(async () => {
  const problems = pages.flatMap((page) => page.problems);
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  assert.deepEqual(problems, []);
  await fetch(`${collector.api}/test/reset`, { method: 'POST' });
});
after(async () => {
  await browser?.close();
  await collector?.stop();
});

async function open(hash = '') {
  const page = await newPage(browser);
  pages.push(page);
  await page.goto(collector.page + hash);
  await page.locator('#live[data-state=on]').waitFor();
  return page;
}

const purchase = (price) => event('analytics', { name: 'purchase', session: 's-1', attrs: { price } });

test('rows come live, and what was rejected or is not as the plan says tells why', async () => {
  const page = await open();
  await eventually(() => names(page), []);
  assert.equal(await page.title(), 'Collector · REZ Inspector');
  await collector.send('phone-a', [
    event('screen_view', { name: 'Cart', session: 's-1' }),
    purchase(9.5),
    purchase('nine'),
    { ...event('error', { type: 'PaymentError', message: 'card declined' }), kind: 'Error' },
    event('api_call', {
      method: 'POST',
      endpoint: '/pay',
      status: 503,
      failed: true,
      duration_us: 2_310_000,
      session: 's-1',
    }),
  ]);
  await eventually(() => names(page), ['POST /pay', 'PaymentError card declined', 'purchase', 'purchase', 'Cart']);
  await page.getByRole('button', { name: 'dead', exact: true }).click();
  await eventually(() => names(page), ['PaymentError card declined', 'purchase']);
  await rows(page).first().click();
  const why = page.locator('#detail .why');
  await eventually(() => why.textContent(), 'rez: dead, rejected invalid_field kind unknown kind');
  const tree = page.locator('#detail .tree').first();
  assert.match(await tree.innerText(), /rejected/);
  await rows(page).nth(1).click();
  await eventually(
    async () => /attrs\.price: expected type "number", found "nine"/.test(await why.textContent()),
    true,
  );
  assert.match(await page.locator('#detail dl').innerText(), /phone-a/);
  const bad = await (await fetch(`${collector.api}/test/bad`)).json();
  assert.deepEqual(
    bad.map(({ why: all }) => all.map(({ by }) => by)),
    [['server'], ['plan']],
  );
  await page.getByRole('button', { name: 'all', exact: true }).click();
  await eventually(async () => (await names(page)).length, 5);
  await picture(page, 'collector');
});

test('the list has the events of one installation, and each is counted', async () => {
  const page = await open();
  const choice = page.locator('#install');
  assert.equal(await choice.isHidden(), true, 'nobody has sent anything');
  await collector.send('phone-a', [purchase(1), purchase(2)]);
  await collector.send('tablet-b', [event('screen_view', { name: 'Home' })]);
  await eventually(
    () => choice.locator('option').allTextContents(),
    ['any installation', 'tablet-b · rez · 1', 'phone-a · rez · 2'],
  );
  await choice.selectOption('tablet-b');
  await eventually(() => names(page), ['Home']);
  await collector.send('phone-a', [purchase(3)]);
  await collector.send('tablet-b', [event('screen_view', { name: 'Cart' })]);
  await eventually(() => names(page), ['Cart', 'Home']);
  await eventually(
    () => choice.locator('option').allTextContents(),
    ['any installation', 'tablet-b · rez · 2', 'phone-a · rez · 3'],
  );
  assert.equal(await choice.inputValue(), 'tablet-b');
});

test('the text of events is shown as text, and the source cannot be told anything', async () => {
  const page = await open();
  const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  await collector.send(hostile, [event('message', { message: hostile, level: 'info' })]);
  await eventually(async () => (await names(page))[0]?.startsWith('<img src=x'), true);
  await rows(page).first().click();
  await page.locator('#detail dl', { hasText: 'onerror' }).waitFor();
  assert.equal(await page.title(), 'Collector · REZ Inspector');
  assert.equal(await page.locator('#rows img, #detail img, #install img').count(), 0);
  assert.match((await ask(page, { tell: 'send_now' })).error, /only its running app/);
  assert.equal(await page.getByRole('button', { name: 'Mark' }).count(), 0);
});

test('the timeline shows what arrived of a session', async () => {
  await collector.send('phone-a', [
    event('screen_load', { name: 'Cart', session: 's-9', start_ms: Date.now() - 800, duration_us: 400_000 }),
    event('api_call', {
      method: 'GET',
      endpoint: '/cart',
      status: 200,
      start_ms: Date.now() - 700,
      duration_us: 120_000,
      session: 's-9',
    }),
  ]);
  const page = await open('#/timeline/s-9');
  await page.locator('#view-timeline svg').first().waitFor();
  assert.match(await page.locator('#view-timeline').innerText(), /Cart/);
});
