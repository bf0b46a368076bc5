import { test } from 'node:test';
import { tool } from './shop.mjs';

test('the app compiles with the configuration that Expo gives it', () => {
  tool('typescript/bin/tsc', '--noEmit');
});
