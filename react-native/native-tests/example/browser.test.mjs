/** The web build of the example app, used as a customer would, on the real engine. What it records is read from the queue. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { API_HOST, exported, missing as notInstalled } from './app.mjs';
import { newWindow, missing as noBrowser, picture, startBrowser } from './browser.mjs';
import { missing as noEngine } from './engine.mjs';
import { startSite } from './site.mjs';

const API = `http://${API_HOST}`;
/** For a machine that builds something else meanwhile. */
const WAIT_MS = 30_000;

describe('the shop in a browser', { skip: noEngine() || notInstalled() || noBrowser() }, () => {
  let site;
  let browser;
  let page;
  const problems = [];

  before(async () => {
    site = await startSite(exported('web'));
    browser = await startBrowser({ [API_HOST]: `127.0.0.1:${site.port}` });
    page = await newWindow(browser, problems);
    page.setDefaultTimeout(WAIT_MS);
    await page.addInitScript(site.engine.script);
    await page.goto(site.origin);
  });
  after(async () => {
    await browser?.close();
    await site?.close();
  });

  /** The screens below the one that is shown stay in the page. */
  const shown = (testId) => page.getByTestId(testId).filter({ visible: true });
  const tap = (testId) => shown(testId).tap();
  const textOf = (testId) => shown(testId).textContent();

  /** The rows of a kind that have these members, as soon as there is one. */
  async function rows(kind, members) {
    return eventually(async () => {
      const all = (await site.engine.rows()).filter((row) => row.kind === kind);
      const found = all.filter(({ json }) => matches(json, members));
      const seen = all.map(({ json }) => Object.keys(members).map((name) => json[name]));
      assert.notEqual(found.length, 0, `no ${kind} with ${JSON.stringify(members)} in ${JSON.stringify(seen)}`);
      return found;
    });
  }

  test('the list of products is a screen with its call and its images', async () => {
    await shown('product-8').waitFor();
    await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    const [list] = await rows('screen_load', { name: 'ProductList' });
    assert.ok(list.json.full_us >= list.json.initial_us, JSON.stringify(list.json));
    await rows('screen_load', { name: '/' });
    const calls = await rows('api_call', { url: `${API}/products` });
    assert.deepEqual([calls.length, calls[0].json.status], [1, 200]);
    const images = await rows('image_load', {});
    assert.ok(
      images.every(({ json }) => json.url.startsWith(`${API}/images/`)),
      JSON.stringify(images),
    );
    await picture(page, 'products');
  });

  test('a product is viewed and put into the cart, with its price in rupees', async () => {
    await tap('product-3');
    await tap('add-to-cart');
    await shown('check-out').waitFor();
    const item = { item_id: '3', item_name: 'Clay cup no. 3', price: 160, quantity: 1 };
    const attrs = { value: 160, currency: 'INR', items: [item] };
    for (const name of ['view_item', 'add_to_cart']) {
      const [event] = await rows('analytics', { name });
      assert.deepEqual(event.json.attrs, attrs);
    }
    await rows('screen_load', { name: '/product/[id]' });
    await rows('screen_load', { name: 'ProductDetail' });
    await rows('api_call', { url: `${API}/cart`, method: 'POST', status: 200 });
    assert.equal(site.calls.filter((line) => line.startsWith('POST /cart {"id":3,"quantity":1}')).length, 1);
  });

  test('a payment that the bank answers with 503 is an error, and why() says where it is', async () => {
    await tap('check-out');
    await tap('fault-503');
    await tap('pay');
    assert.equal(await textOf('pay-error'), 'the bank does not respond');
    await rows('analytics', { name: 'begin_checkout' });
    const [call] = await rows('api_call', { url: `${API}/pay`, status: 503 });
    const [error] = await rows('error', { message: 'the bank does not respond' });
    assert.deepEqual([error.json.type, error.json.severity, error.json.tags.step], ['AppError', 'high', 'pay']);
    // The server has seen the trace of the call.
    const [line] = site.calls.filter((one) => one.startsWith('POST /pay'));
    assert.match(line, new RegExp(` 00-${call.json.trace.trace_id}-${call.json.trace.span_id}-0[01]$`));
    await tap('why');
    assert.match(await textOf('why-answer'), /rez/);
    await picture(page, 'pay');
  });

  test('a payment that succeeds is a purchase with its receipt', async () => {
    await tap('fault-none');
    await tap('pay');
    const [, amount, receipt] = /^₹(\d+), receipt (t-[0-9a-f]{12})$/.exec(await textOf('receipt'));
    const [purchase, ...others] = await rows('revenue', {});
    assert.deepEqual(others, []);
    assert.equal(purchase.json.amount, Number(amount));
    assert.equal(purchase.json.transaction_id, receipt);
    assert.deepEqual(purchase.json.items, [{ item_id: '3', item_name: 'Clay cup no. 3', price: 160, quantity: 1 }]);
    await rows('screen_load', { name: 'Receipt' });
  });

  test('an error of each kind is one event, and only that of nobody reaches the page', async () => {
    await page.goBack();
    await tap('tab-errors');
    assert.deepEqual(
      problems.splice(0).filter((text) => !/503|status/.test(text)),
      [],
    );
    await tap('throw-render');
    await shown('render-again').waitFor();
    const [rendering] = await rows('error', { mechanism: 'react' });
    assert.equal(rendering.json.type, 'TypeError');
    await tap('render-again');

    await tap('throw-uncaught');
    await rows('error', { message: 'the price list has no currency', mechanism: 'onerror', handled: false });
    await tap('reject');
    await rows('error', { message: 'the wish list was not saved', mechanism: 'promise', handled: false });
    await eventually(() =>
      assert.ok(
        problems.some((text) => text.includes('has no currency')),
        String(problems),
      ),
    );

    const dialog = page.waitForEvent('dialog');
    const tapped = tap('handle');
    const alert = await dialog;
    assert.equal(alert.message(), 'Error\n\nOnly one of these is left.');
    await alert.accept();
    await tapped;
    await rows('error', { code: 'STOCK_ERROR', severity: 'low' });
    const errors = (await site.engine.rows()).filter(({ kind }) => kind === 'error');
    assert.equal(errors.length, 5, JSON.stringify(errors.map(({ json }) => json.message)));
    problems.splice(0);
  });

  test('a screen that takes longer than 3 s is slow', async () => {
    await tap('slow-screen');
    await page.getByText('Here at last').waitFor();
    const [load] = await rows('screen_load', { name: 'SlowScreen' });
    assert.equal(load.json.slow, true);
    await page.goBack();
  });

  test('the inspector lists the queue, and says of an event what became of it', async () => {
    await tap('tab-inspector');
    await tap('rez-inspector-kind-error');
    const failed = shown('rez-inspector-list').getByText('the bank does not respond');
    await failed.waitFor();
    await picture(page, 'inspector');
    await failed.tap();
    assert.match(await textOf('rez-inspector-why'), /^rez\/rez\.batch: queued/);
    assert.match(await textOf('rez-inspector-json'), /"step": "pay"/);
  });

  test('the inspector makes one event of each kind, with the answer of why() beneath', async () => {
    await tap('rez-inspector-page-try');
    await tap('rez-inspector-make');
    for (const kind of ['error', 'api_call', 'analytics', 'revenue']) {
      const answer = shown(`rez-inspector-made-${kind}`).getByText(/rez\/rez\.batch: (queued|parked)/);
      await answer.waitFor();
    }
    await rows('api_call', { url: 'https://example.com/rez-inspector' });
    assert.deepEqual(problems.splice(0), []);
  });

  test('analytics waits for the consent of the user, and is delivered then', async () => {
    const sent = (kind) => site.events.filter((event) => event.kind === kind);
    await tap('tab-settings');
    site.collect();
    await eventually(async () => {
      await tap('flush');
      assert.ok(sent('api_call').length > 0);
    });
    assert.deepEqual(sent('analytics'), []);
    assert.deepEqual(sent('revenue'), []);
    await tap('analytics-granted');
    await eventually(async () => {
      await tap('flush');
      assert.ok(sent('revenue').length > 0);
    });
    const names = sent('analytics').map(({ name }) => name);
    for (const name of ['view_item', 'add_to_cart', 'begin_checkout']) assert.ok(names.includes(name), String(names));
  });

  test('what is recorded after the settings have changed carries the user and the tag of the test mode', async () => {
    await tap('user-asha');
    await tap('test-mode-on');
    await tap('tab-errors');
    await tap('reject');
    const error = await eventually(() => {
      const found = site.events.filter(({ message }) => message === 'the wish list was not saved').at(-1);
      assert.equal(found?.tags?.test_mode, 'true');
      return found;
    });
    assert.deepEqual([error.kind, error.handled, error.user.id], ['error', false, 'u-42']);
  });

  test('without an engine every screen works, and the inspector says that there is none', async () => {
    const without = [];
    const other = await newWindow(browser, without);
    await other.goto(`${site.origin}/product/5`);
    await other.getByTestId('add-to-cart').tap();
    await other.getByTestId('check-out').tap();
    await other.getByTestId('pay').tap();
    await other.getByTestId('receipt').waitFor();
    await other.goto(`${site.origin}/inspector`);
    await other.getByText('There is no engine here').waitFor();
    await other.getByText('the native module RezMonitor is missing').waitFor();
    assert.deepEqual(without, []);
  });
});

/** Repeats what fails until it does not, or the time is over. */
async function eventually(attempt) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function matches(json, members) {
  return Object.entries(members).every(([name, value]) => json[name] === value);
}
