/** The real engine below the packed package. `cargo xtask react-native` builds it and sets `REZ_NODE_ADDON`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { act, fireEvent, screen } from 'expo-router/testing-library';
import { NativeModules } from 'react-native';
import { openShop } from './shop';

interface Row {
  kind: string;
  json: { name?: string; message?: string; view?: { name: string }; context?: object; trail?: Crumb[] };
}

interface Crumb {
  category: string;
  message: string;
  data?: { to?: string };
}

const addon = process.env.REZ_NODE_ADDON;
const withEngine = addon === undefined ? test.skip : test;

withEngine('what a user does in the app is in the queue of the engine', async () => {
  jest.spyOn(console, 'warn').mockReturnValue();
  // The require of jest would load it once per file, which an addon does not allow.
  const { RezMonitor, testRows } = createRequire(__filename)(addon as string);
  const folder = mkdtempSync(join(tmpdir(), 'rez-shop-'));
  const engine = new RezMonitor();
  const open = engine.open.bind(engine);
  // As the native layer does: the app names no folder.
  engine.open = (settings: string, facts: string) => open(JSON.stringify({ ...JSON.parse(settings), folder }), facts);
  NativeModules.RezMonitor = engine;
  const { close, persist } = require('@rez/monitor');
  openShop();
  act(() => fireEvent.press(screen.getByTestId('open')));
  fireEvent.press(screen.getByTestId('pay'));
  await persist();
  const { rows } = JSON.parse(testRows(folder)) as { rows: Row[] };
  await close();
  rmSync(folder, { recursive: true });

  const [viewed] = rows.filter(({ kind }) => kind === 'analytics');
  expect(viewed?.json).toMatchObject({ name: 'view_item', view: { name: '/' } });
  const [refused] = rows.filter(({ kind }) => kind === 'error');
  expect(refused?.json).toMatchObject({
    message: 'the card is refused',
    view: { name: '/products/[id]' },
    context: { order: { product: '7' } },
  });
  expect(refused?.json.trail?.map(({ category, message, data }) => [category, data?.to ?? message])).toEqual([
    ['navigation', '/'],
    ['shop', 'opens a product'],
    ['navigation', '/products/[id]'],
  ]);
});
