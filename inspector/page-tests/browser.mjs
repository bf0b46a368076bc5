/** A Chromium of this machine. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const CHROMIUM = '/usr/bin/chromium';
const works = () => spawnSync(CHROMIUM, ['--version'], { stdio: 'pipe' }).status === 0;

/** Why there is no browser; false if there is one. */
export function missing() {
  if (!fs.existsSync(path.join(import.meta.dirname, 'node_modules/playwright-core')))
    return 'playwright-core is not installed: npm ci in inspector/page-tests';
  return !works() && 'chromium is not installed: apt-get install chromium';
}

export async function startBrowser() {
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath: CHROMIUM });
}

export const DESK = { width: 1360, height: 820 };
export const PHONE = { width: 390, height: 844 };

/** A window. `page.problems` gets what the page throws, what it prints as an error, and the addresses that it asks outside of its own. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: DESK,
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && page.problems.push(message.text()));
  return page;
}

/** A picture for the documentation. Only `REZ_BLESS=1` replaces it. */
export async function picture(page, name) {
  if (process.env.REZ_BLESS !== '1') return;
  const images = path.resolve(import.meta.dirname, '../../docs/images');
  await page.screenshot({ path: path.join(images, `inspector-${name}.png`) });
}
