/** Status, drops, the buttons that change something, and the looks of the page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { picture } from './browser.mjs';
import { ask, eventually, names, opened, rows } from './opened.mjs';

const all = opened();

test('the status has the figures of each destination and why it waits', async () => {
  const page = await all.open('#/status');
  const box = page.locator('#view-status');
  await box.locator('.card').first().waitFor();
  const { lines, balance, status } = await ask(page, { ask: 'status' });
  assert.deepEqual(await box.locator('.lines li').allTextContents(), lines);
  const vendor = box.locator('.card', { hasText: 'vendor' });
  assert.match(await vendor.innerText(), /wait/);
  const figure = async (name) =>
    Number(
      await vendor
        .locator('.counts > div', { has: page.locator(`.s-${name}`) })
        .locator('dd')
        .textContent(),
    );
  const counted =
    balance?.routes.find((route) => route.route.startsWith('vendor')) ??
    status.routes.find((route) => route.destination === 'vendor');
  assert.equal(await figure('delivered'), counted.delivered);
  if (balance) assert.equal(await figure('queued'), counted.queued);
  if (balance) assert.equal(await box.locator('.fails').count(), 0);
  await picture(page, 'status');
});

test('the drops are listed, or the source says why not', async () => {
  const page = await all.open('#/drops');
  const answer = await ask(page, { ask: 'drops' });
  const box = page.locator('#view-drops');
  if (answer.error) await box.locator('.problem', { hasText: answer.error }).waitFor();
  else
    await eventually(
      () => box.locator('tbody tr').count(),
      answer.drops.length + Object.values(answer.refused).filter((n) => n > 0).length,
    );
});

test('a mark is a row of the list, and the list since the mark begins after it', async () => {
  const page = await all.open();
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Mark' }).waitFor();
  await page.keyboard.press('m');
  await page.keyboard.type('tapped <b>Pay</b> again');
  await page.keyboard.press('Enter');
  await page.locator('#toast', { hasText: 'Marked “tapped <b>Pay</b> again”' }).waitFor();
  await eventually(async () => (await names(page))[0], 'tapped <b>Pay</b> again');
  await page.check('#since-mark');
  await eventually(() => names(page), []);
  await all.app.tell('visit 2');
  await eventually(() => names(page), ['tap Later1', 'tap Later0']);
});

test('a dialog can be left with the Escape key and changes nothing', async () => {
  const page = await all.open();
  await rows(page).first().waitFor();
  const first = (await names(page))[0];
  await page.getByRole('button', { name: 'Mark' }).click();
  await page.keyboard.type('never');
  await page.keyboard.press('Escape');
  await eventually(() => page.locator('dialog[open]').count(), 0);
  await page.keyboard.press('?');
  await page.locator('dialog.help').waitFor();
  await page.keyboard.press('Escape');
  await eventually(() => page.locator('dialog[open]').count(), 0);
  assert.equal((await names(page))[0], first);
});

test('send now says what each destination took and what it holds', async () => {
  const page = await all.open();
  await page.getByRole('button', { name: 'Send now' }).click();
  const toast = page.locator('#toast');
  await toast.waitFor();
  const text = await toast.innerText();
  assert.ok(text.includes('desk: ') && text.includes('vendor: '), text);
  assert.match(text, /asked to wait/);
  await page.getByRole('button', { name: 'Send now' }).waitFor();
});

test('a fault is switched on and off, and the status shows it', async () => {
  const page = await all.open('#/status');
  const fault = page.getByLabel('Fault');
  await fault.selectOption('offline');
  await page.locator('#view-status .warn', { hasText: 'offline' }).waitFor();
  assert.equal((await ask(page, { ask: 'status' })).fault, 'offline');
  // Another page sees it, too.
  const other = await all.open('#/status');
  await eventually(() => other.getByLabel('Fault').inputValue(), 'offline');
  await fault.selectOption('none');
  await eventually(() => page.locator('#view-status .warn').count(), 0);
});

test('the buttons of a dead letter are those that the source offers', async () => {
  const page = await all.open();
  await rows(page).filter({ hasText: 'loyalty service' }).click();
  await page.locator('#detail h2').waitFor();
  const { can } = await ask(page, { ask: 'about' });
  for (const [verb, name] of [
    ['requeue', 'Send again'],
    ['drop', 'Drop'],
  ])
    assert.equal(
      await page.locator('#detail').getByRole('button', { name, exact: true }).count(),
      can.includes(verb) ? 1 : 0,
    );
});

/** Answers a request of the page instead of the app: a source of another version, or one that is broken. */
async function lie(page, lies) {
  await page.route('**/inspect', async (route) => {
    const request = JSON.parse(route.request().postData());
    const body = lies(request);
    if (body === undefined) await route.continue();
    else await route.fulfill({ contentType: 'application/json', body });
  });
}

test('a dead letter is sent again or dropped, after a question', async () => {
  const page = await all.open();
  const told = [];
  await lie(page, (request) => {
    if (request.ask === 'about') return '{"protocol":1,"source":"app","app":"shop@1","can":["requeue","drop"]}';
    if (request.tell === undefined) return undefined;
    told.push(request);
    return request.tell === 'requeue' ? '{"requeued":1}' : '{"dropped":1}';
  });
  await page.reload();
  await rows(page).filter({ hasText: 'loyalty service' }).click();
  const detail = page.locator('#detail');
  await detail.getByRole('button', { name: 'Send again' }).click();
  await page.locator('#toast', { hasText: '1 in the queue again' }).waitFor();
  await detail.getByRole('button', { name: 'Drop' }).click();
  await page.getByRole('button', { name: 'Cancel' }).last().click();
  await eventually(() => page.locator('dialog[open]').count(), 0);
  assert.equal(told.length, 1);
  await detail.getByRole('button', { name: 'Drop' }).click();
  await page.getByRole('button', { name: 'Drop it' }).click();
  await page.locator('#toast', { hasText: '1 dropped' }).waitFor();
  const id = (await page.evaluate(() => location.hash)).split('/')[2];
  assert.deepEqual(told, [
    { tell: 'requeue', ids: [id] },
    { tell: 'drop', ids: [id] },
  ]);
});

test('a source without `about` is shown without buttons, and the page says why', async () => {
  const page = await all.open();
  await lie(page, ({ ask: asked }) => (asked === 'about' ? '{"error":"pass `ask`"}' : undefined));
  await page.reload();
  await page.locator('#notice', { hasText: 'does not say what it is: pass `ask`' }).waitFor();
  assert.deepEqual(await page.locator('#actions button').allTextContents(), ['?']);
  assert.ok(await page.locator('#where').isHidden());
  await rows(page).first().waitFor();
});

test('a source that answers with something else does not end the page', async () => {
  const page = await all.open();
  let answer = '<html>';
  await lie(page, (request) => (request.ask === 'list' ? answer : undefined));
  await page.keyboard.press('r');
  await page.locator('#list-problem', { hasText: 'no JSON object' }).waitFor();
  for (answer of ['{}', '{"events":null}', '{"events":[{"id":7}],"before":null}', '{"events":[null],"before":null}']) {
    await page.keyboard.press('r');
    await page.locator('#notice', { hasText: 'cannot be shown' }).waitFor();
  }
  answer = undefined;
  await page.keyboard.press('r');
  await eventually(() => page.locator('#notice').isHidden(), true);
  await rows(page).first().waitFor();
});

test('the balance, its kinds and what was refused are figures with a mark', async () => {
  const page = await all.open('#/status');
  let balance;
  await lie(page, (request) =>
    request.ask === 'status' ? JSON.stringify({ lines: [], fault: 'none', balance }) : undefined,
  );
  const box = page.locator('#view-status');
  const route = {
    route: 'desk/rez.batch',
    stored: 9,
    queued: 1,
    in_flight: 2,
    delivered: 3,
    dead: 1,
    unwanted: 1,
    dropped: { expired: 1 },
    waits: ['offline since 12:00'],
    last: '503',
    holds: true,
  };
  const kind = { kind: 'error', folded: 9, late: 0, stored: 9, dropped: {}, holds: true };
  balance = {
    install: 'i',
    epoch: 1,
    numbered: 12345,
    rows: 9,
    bytes: 512,
    cap: 1024,
    oldest_ms: 1,
    holds: true,
    lanes: [1, 2, 3, 4],
    kinds: [kind],
    routes: [route],
    refused: { ring_full: 7 },
    unreadable: 0,
  };
  await page.keyboard.press('r');
  await box.locator('.figure', { hasText: '12\u202f345' }).waitFor();
  const text = await box.innerText();
  for (const part of [
    '✓ holds',
    '512 B',
    'of 1.0 KiB',
    'offline since 12:00',
    'Dropped: expired 1',
    'Last request: 503',
    'ring full',
  ])
    assert.ok(text.includes(part), part);
  assert.equal(await box.locator('.fails').count(), 0);
  balance = {
    ...balance,
    holds: false,
    cap: null,
    unreadable: 3,
    kinds: [{ ...kind, holds: false }],
    routes: [{ ...route, holds: false }],
  };
  await page.keyboard.press('r');
  await box.locator('.fails').first().waitFor();
  assert.equal(await box.locator('.fails').count(), 4);
  assert.match(await box.innerText(), /3 rows cannot be read.*rezq doctor/);
});

test('drops stand by day, newest first, with what the reason means', async () => {
  const page = await all.open('#/drops');
  const drop = (day, route, text) => ({ day, route, kind: 'log', reason: 'evicted_bytes', n: 4000, text });
  const drops = [
    drop('2026-11-27', null, 'the queue was full'),
    drop('2026-11-29', 'desk/rez.batch', null),
    drop('2026-11-29', null, '<b>x</b>'),
  ];
  await lie(page, (request) => (request.ask === 'drops' ? JSON.stringify({ drops, refused: {} }) : undefined));
  await page.keyboard.press('r');
  const box = page.locator('#view-drops');
  await box.locator('caption').nth(1).waitFor();
  assert.deepEqual(await box.locator('caption').allTextContents(), ['2026-11-29', '2026-11-27']);
  const text = await box.innerText();
  for (const part of ['evicted bytes', '4\u202f000', 'before any destination', 'the queue was full', '<b>x</b>'])
    assert.ok(text.includes(part), part);
});

test('what was masked is named in the detail', async () => {
  const page = await all.open();
  const { events } = await ask(page, { ask: 'list', filter: { kind: 'revenue' } });
  const shown = await ask(page, { ask: 'show', id: events[0].id });
  await lie(page, (request) =>
    request.ask === 'show'
      ? JSON.stringify({ ...shown, crc: '00c0ffee', masked: [{ path: 'user.email', what: '[email]' }] })
      : undefined,
  );
  await page.reload();
  await page.evaluate((id) => {
    location.hash = `#/events/${id}`;
  }, events[0].id);
  await page.locator('#detail .masked li', { hasText: 'user.email [email]' }).waitFor();
  assert.match(await page.locator('#detail dl').innerText(), /00c0ffee/);
});

test('the text can be read in light and in dark, in every view', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await all.open('', { colorScheme });
    await rows(page).filter({ hasText: 'PaymentError' }).click();
    await page.locator('#detail .tree').first().waitFor();
    for (const view of ['events', 'status', 'drops', 'timeline']) {
      if (view !== 'events') await page.locator(`[data-view=${view}]`).click();
      if (view === 'timeline') await page.locator('.item').first().waitFor();
      assert.deepEqual(await page.evaluate(faint), [], `${colorScheme} ${view}`);
    }
    if (colorScheme === 'dark') await picture(page, 'dark');
  }
});

test('the app sends a dead letter again, or gives it up', async (t) => {
  const page = await all.open();
  const { can } = await ask(page, { ask: 'about' });
  if (!can.includes('drop')) return t.skip('the engine does not change dead letters');
  await rows(page).filter({ hasText: 'loyalty service' }).click();
  const detail = page.locator('#detail');
  // What is open in the payload is the reader's choice, whatever becomes of the event.
  const branch = (name) => detail.locator(`[data-path="json/${name}"]`);
  const isOpen = async () => Promise.all(['view', 'user'].map((name) => branch(name).evaluate((node) => node.open)));
  await branch('view').locator('> summary').click();
  assert.deepEqual(await isOpen(), [false, true]);
  await detail.getByRole('button', { name: 'Send again' }).click();
  await page.locator('#toast', { hasText: '1 in the queue again' }).waitFor();
  await detail.locator('.chips .state', { hasText: 'queued' }).waitFor();
  assert.deepEqual(await isOpen(), [false, true]);
  // The server refuses it once more.
  await ask(page, { tell: 'send_now' });
  await detail.getByRole('button', { name: 'Drop', exact: true }).click();
  await page.getByRole('button', { name: 'Drop it' }).click();
  await page.locator('#toast', { hasText: '1 dropped' }).waitFor();
  // Its content is gone; what became of it is known.
  await detail.locator('[role=alert]', { hasText: 'dropped' }).waitFor();
  await page.keyboard.press('4');
  await eventually(() => names(page), []);
});

/** The texts of the page whose contrast is below 4.5, or 3 if they are large. */
function faint() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const part = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const found = [];
  for (const node of document.querySelectorAll('body *:not(script):not(option):not(svg *)')) {
    const own = [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim());
    if (own.length === 0 || !node.checkVisibility() || node.disabled) continue;
    const style = getComputedStyle(node);
    const [a, b] = [light(rgba(style.color)), light(behind(node))].sort((x, y) => y - x);
    const size = Number.parseFloat(style.fontSize);
    if ((a + 0.05) / (b + 0.05) < (size >= 18.6 ? 3 : 4.5))
      found.push(`${node.className} "${own[0].data.slice(0, 30)}" ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return [...new Set(found)];
}
