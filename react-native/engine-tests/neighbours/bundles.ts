/** The neighbours as an app bundles them: one file each, with React Native and React left to the test. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What the test supplies in the place of the app's own packages. */
const OUTSIDE = [
  ...['react-native', 'react-native/*', 'react', 'react/*', '@react-navigation/*'],
  ...['expo', 'expo-modules-core', 'expo-router', 'expo-router/*', 'expo-updates'],
];

const DATADOG = './node_modules/@datadog/mobile-react-native/lib/module';

const ENTRIES = {
  sentry: "export * from '@sentry/react-native';",
  // The package exports no path to its observation of the network alone.
  datadog: `export { DdRumResourceTracking } from '${DATADOG}/rum/instrumentation/resourceTracking/DdRumResourceTracking';
    export { BufferSingleton } from '${DATADOG}/sdk/DatadogProvider/Buffer/BufferSingleton';`,
  expo: "import 'expo-app-metrics'; export * from 'expo-observe';",
  fetch: "export { fetch } from 'whatwg-fetch';",
};

/** Writes a bundle and returns its path. It lies in `node_modules`, so that jest does not translate it again. */
export function bundle(name: keyof typeof ENTRIES): string {
  const resolveDir = __dirname;
  const outfile = join(resolveDir, 'node_modules/.bundles', `${name}-${process.pid}.cjs`);
  if (existsSync(outfile)) return outfile;
  if (!existsSync(join(resolveDir, 'node_modules/esbuild'))) {
    throw new Error('the neighbours are missing: run `npm ci` in engine-tests/neighbours');
  }
  const esbuild = createRequire(join(resolveDir, 'index.js'))('esbuild') as {
    buildSync(options: object): void;
  };
  esbuild.buildSync({
    stdin: { contents: ENTRIES[name], resolveDir },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    mainFields: ['module', 'main'],
    jsx: 'automatic',
    external: OUTSIDE,
    define: { __DEV__: 'false' },
    outfile,
    logLevel: 'error',
  });
  return outfile;
}
