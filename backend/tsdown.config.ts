import { defineConfig } from 'tsdown';

/** What JavaScript does with the engine is the same on a phone and on a server: those files are bundled from the other package. */
export default defineConfig({
  entry: { index: 'src/index.ts', ingest: 'src/ingest/index.ts', register: 'src/register.ts' },
  outDir: 'lib',
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node22',
  dts: true,
  sourcemap: true,
  fixedExtension: false,
});
