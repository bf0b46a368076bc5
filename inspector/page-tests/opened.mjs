/** One app and one browser for the tests of a file. */
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { startApp } from './app.mjs';
import { newPage, startBrowser } from './browser.mjs';

/**
 * `open(hash, options)`: a page of the app that is live. Each test fails if its pages print an error. `prepare(all)` runs before
 * the first test.
 */
export function opened(prepare = async () => {}) {
  const all = { pages: [] };
  before(async () => {
    [all.app, all.browser] = await Promise.all([startApp(), startBrowser()]);
    await prepare(all);
  });
  afterEach(async () => {
    const pages = all.pages.splice(0);
    const problems = pages.filter((page) => !page.mayFail).flatMap((page) => page.problems);
    await Promise.all(pages.map((page) => page.context().close()));
    assert.deepEqual(problems, []);
  });
  after(async () => {
    await all.browser?.close();
    await all.app?.stop();
  });
  all.open = async (hash = '', options = {}) => {
    const page = await newPage(all.browser, options);
    all.pages.push(page);
    await page.goto(all.app.url + hash);
    await page.locator('#live[data-state=on]').waitFor();
    return page;
  };
  return all;
}

export const rows = (page) => page.locator('#rows .row');
export const names = async (page) => rows(page).locator('.name b').allTextContents();
/** Asks through the carrier of the page. */
export const ask = (page, request) => page.evaluate(async (asked) => carrierOfPage().ask(asked), request);

/** Waits until a function of the page returns what is expected. */
export async function eventually(read, expected) {
  const end = Date.now() + 60_000;
  for (;;) {
    const got = await read();
    try {
      return assert.deepEqual(got, expected);
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
