/** A phone-sized window of a Chromium of this machine. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { notInstalled } from '../work.mjs';

const CHROMIUM = '/usr/bin/chromium';

const works = () => spawnSync(CHROMIUM, ['--version'], { stdio: 'pipe' }).status === 0;
const apt = (...command) => spawnSync('apt-get', command, { stdio: 'pipe' });

/** Why there is no browser; false if there is one. On a Debian system, root installs it. */
export function missing() {
  const driver = notInstalled(import.meta.dirname);
  if (driver || works()) return driver;
  if (process.getuid?.() !== 0) return 'chromium is not installed, and only root can install it';
  apt('update');
  apt('install', '--yes', '--no-install-recommends', 'chromium');
  return !works() && 'chromium is not installed, and `apt-get install` failed';
}

/** `hosts`: names of hosts, and where each is. */
export async function startBrowser(hosts) {
  const { chromium } = await import('playwright-core');
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`);
  return chromium.launch({ executablePath: CHROMIUM, args: [`--host-resolver-rules=${rules.join(',')}`] });
}

/** A window of a phone. `problems` gets what the page throws and what it prints as an error. */
export async function newWindow(browser, problems) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true });
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  return page;
}

/** A picture for the documentation. Only `REZ_BLESS=1` replaces it. */
export async function picture(page, name) {
  if (process.env.REZ_BLESS !== '1') return;
  const images = path.resolve(import.meta.dirname, '../../../docs/images');
  await page.screenshot({ path: path.join(images, `react-native-${name}.png`) });
}
