import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const here = (file: string) => join(import.meta.dirname, file);

export default defineConfig({
  resolve: {
    // One test runs the code of the example app.
    alias: {
      'react-native': here('tests/no-react-native.ts'),
      '@rez/monitor/guide': here('../react-native/src/guide/network-error.ts'),
    },
  },
  // The example app extends a configuration of Expo, which is not installed here.
  esbuild: { tsconfigRaw: '{}' },
  test: {
    include: ['tests/**/*.test.ts'],
    // A test that waits for a server of another process does so on a busy machine too.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Engines, servers and signal handlers belong to a process.
    pool: 'forks',
    maxWorkers: 2,
  },
});
