/** The timeline of a session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DESK, picture } from './browser.mjs';
import { eventually, opened } from './opened.mjs';

const all = opened();
const items = (page) => page.locator('#view-timeline .item');
const item = (page, label) => page.locator(`#view-timeline .item[aria-label*="${label}"]`);

async function timeline(options) {
  const page = await all.open('#/timeline', options);
  await items(page).first().waitFor();
  return page;
}

test('screens, calls and images are bars in their lanes, and moments are marks', async () => {
  const page = await timeline({ viewport: DESK });
  const lanes = await page.locator('.lanes .lane').allTextContents();
  assert.deepEqual(lanes.filter(Boolean), ['Screens', 'API calls', 'Images', 'Work', 'User', 'Analytics', 'Problems']);
  for (const [label, tone] of [
    ['API calls, GET /products', 'good'],
    ['API calls, GET /offers, status 404', 'warn'],
    ['API calls, POST /orders, status 503', 'bad'],
    ['Problems, PaymentError', 'bad'],
    ['Screens, Checkout, loaded in 2.60 s', 'load'],
    ['Mark, tapped Pay', 'mark'],
  ])
    assert.match(await item(page, label).first().getAttribute('class'), new RegExp(`\\bt-${tone}\\b`), label);
  const box = async (label) => item(page, label).first().locator('.body').boundingBox();
  const [slow, quick] = [await box('POST /orders, status 503, 6.20 s'), await box('POST /orders, status 200, 940 ms')];
  assert.ok(Math.abs(slow.width / quick.width - 6200 / 940) < 0.5, 'a bar is as long as the call took');
  assert.ok((await box('Problems, PaymentError')).x > slow.x + slow.width - 10, 'the error is after the call');
  await picture(page, 'timeline');
});

test('calls that overlap stand below each other', async () => {
  const page = await timeline();
  const boxes = await page
    .locator('.item[aria-label^="API calls"] .body')
    .evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().toJSON()));
  const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  for (const [at, a] of boxes.entries())
    for (const b of boxes.slice(at + 1)) assert.ok(!overlap(a, b), JSON.stringify([a, b]));
});

test('a long pause is drawn as a short break that names its length', async () => {
  const page = await timeline();
  const gap = page.locator('.gap').first();
  assert.match(await gap.locator('title').textContent(), /2[78]\.\d s without an event/);
  const [broken, chart] = [await gap.locator('rect').boundingBox(), await page.locator('.plot').boundingBox()];
  assert.ok(broken.width < chart.width / 10);
});

test('the pointer and the focus give the details of an item', async () => {
  const page = await timeline();
  const hint = page.locator('.hint');
  await item(page, 'POST /orders, status 503').locator('.body').hover();
  assert.match(await hint.innerText(), /POST \/orders\s+status 503, 6\.20 s/);
  await items(page).and(page.locator('[tabindex="0"]')).focus();
  const visited = [];
  const count = await items(page).count();
  for (let at = 0; at < count; at += 1) {
    visited.push(Number(await page.evaluate(() => document.activeElement.dataset.at)));
    assert.ok((await hint.innerText()).length > 10);
    await page.keyboard.press('ArrowRight');
  }
  assert.deepEqual(
    visited,
    [...visited].sort((a, b) => a - b),
    'in the order of time',
  );
  await page.keyboard.press('ArrowLeft');
  assert.equal(await page.locator('.item[tabindex="0"]').count(), 1);
});

test('Enter and a click open the event', async () => {
  const page = await timeline();
  await item(page, 'Problems, PaymentError').locator('.body').click();
  await page.locator('#detail h2', { hasText: 'PaymentError' }).waitFor();
  await page.goBack();
  await item(page, 'POST /orders, status 503').focus();
  await page.keyboard.press('Enter');
  await page.locator('#detail h2', { hasText: 'POST /orders' }).waitFor();
  await page.locator('#detail dl a').click();
  await items(page).first().waitFor();
});

test('zoom makes the session wider and keeps its middle and the focus', async () => {
  const page = await timeline();
  const width = () => page.locator('.plot svg').evaluate((node) => node.getBoundingClientRect().width);
  const before = await width();
  await item(page, 'POST /orders, status 503').focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  assert.equal(Math.round((await width()) / before), 4);
  assert.match(
    await page.evaluate(() => document.activeElement.getAttribute('aria-label')),
    /POST \/orders, status 503/,
  );
  assert.equal(await page.locator('.zoom').textContent(), '400 %');
  await page.getByRole('button', { name: 'Fit to the window' }).click();
  assert.equal(await width(), before);
  for (let times = 0; times < 12; times += 1) await page.keyboard.press('+');
  assert.equal(await page.locator('.zoom').textContent(), '6400 %');
});

test('the table says in words what the drawing shows', async () => {
  const page = await timeline();
  await page.locator('summary', { hasText: 'As a table' }).click();
  assert.equal(await page.locator('#view-timeline tbody tr').count(), await items(page).count());
  const text = await page.locator('#view-timeline table').innerText();
  for (const part of ['status 503', 'tapped Pay', 'Product to Checkout', "<script>document.title='owned'</script>"])
    assert.ok(text.includes(part), part);
});

test('what is recorded now is drawn now, and zoom and focus stay', async () => {
  const page = await timeline();
  await page.keyboard.press('+');
  await item(page, 'Problems, PaymentError').focus();
  const before = await items(page).count();
  await all.app.tell('visit 4');
  await eventually(() => items(page).count(), before + 4);
  assert.equal(await page.locator('.zoom').textContent(), '200 %');
  assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /PaymentError/);
});

test('a session is chosen by its address, and an unknown one shows the latest', async () => {
  const page = await timeline();
  const id = await page.getByLabel('Session', { exact: true }).inputValue();
  const other = await all.open(`#/timeline/${id}`);
  await items(other).first().waitFor();
  assert.equal(await other.getByLabel('Session', { exact: true }).inputValue(), id);
  const unknown = await all.open('#/timeline/none');
  await items(unknown).first().waitFor();
  assert.equal(await unknown.getByLabel('Session', { exact: true }).inputValue(), id);
});
