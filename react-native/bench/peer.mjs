// The package beside `@sentry/react-native`'s JavaScript: the same calls, over native sides that do nothing.
//
// A message of the peer crosses with everything that the event carries, as base64; ours crosses alone, since the engine has the rest.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { hermes, lowered, root } from '../native-tests/hermes/vm.mjs';

const here = import.meta.dirname;
const require = createRequire(path.join(here, 'package.json'));

/** What each does for `init`, a breadcrumb and a message. Both record a message without a stack. */
const SDKS = {
  ours: {
    entry: path.join(root, 'lib/module/index.js'),
    native: `RezMonitor: { open: () => '{"seed":"000102030405060708090a0b0c0d0e0f"}', recordBatch: () => true }`,
    calls: `
      init: () => sdk.init({ consent: { monitoring: 'granted', analytics: 'granted' }, release: 'shop@1', debug: false }),
      breadcrumb: (at) => sdk.addBreadcrumb({ category: 'ui.tap', message: 'tap ' + at, level: 'info', data: { items: 3, total: 1499.5 } }),
      message: (at) => sdk.captureMessage('message ' + at, 'info'),`,
  },
  sentry: {
    entry: '@sentry/react-native',
    // Every method answers a promise; the options of the transport and the life cycle are empty.
    native: `RNSentry: new Proxy({}, { get: (_, name) => name === 'then' ? undefined : () => {
      if (name === 'captureEnvelope') globalThis.received += 1;
      return name === 'initNativeSdk' || name === 'captureEnvelope' ? Promise.resolve(true) : Promise.resolve(null);
    } })`,
    calls: `
      init: () => sdk.init({ dsn: 'https://key@o1.ingest.sentry.io/1', release: 'shop@1', attachStacktrace: false, patchGlobalPromise: false }),
      breadcrumb: (at) => sdk.addBreadcrumb({ category: 'ui.tap', message: 'tap ' + at, level: 'info', data: { items: 3, total: 1499.5 } }),
      message: (at) => sdk.captureMessage('message ' + at, 'info'),
      countsMessages: true,`,
  },
};

/**
 * All of an entry and what it imports, as Metro bundles it: nothing is left out because it is not used. `later`: with what it loads by
 * `import()`, which Metro puts into the same bundle for a phone and into another file for the web.
 */
async function bundle(source, external = false, later = true) {
  const shim = path.join(root, 'native-tests/hermes/react-native.js');
  const host = {
    name: 'host',
    setup: (build) => {
      build.onResolve({ filter: /^react-native(\/|$)/ }, ({ path: name }) =>
        external ? { path: name, external } : { path: shim },
      );
      build.onResolve({ filter: /./ }, ({ path: name, kind }) =>
        kind === 'dynamic-import' && !later ? { path: name, external: true } : undefined,
      );
    },
  };
  const { outputFiles } = await require('esbuild').build({
    stdin: { contents: source, resolveDir: here },
    nodePaths: [path.join(root, 'node_modules')],
    plugins: [host],
    external: external ? ['react', 'react/*'] : [],
    define: { __DEV__: 'false', 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
    bundle: true,
    treeShaking: false,
    minify: true,
    format: 'iife',
    target: 'es2022',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].text;
}

const program = ({ entry, native, calls }) => `
  globalThis.received = 0;
  globalThis.nativeModules = { ${native} };
  const sdk = require(${JSON.stringify(entry)});
  globalThis.calls = { ${calls} };
`;

/** Import and `init` in Hermes bytecode: the mean of new processes, since its clock has whole milliseconds. */
async function initMs(sdk) {
  const runs = 40;
  // What React Native puts into the global object, and the command line of Hermes does not.
  const host = `
    globalThis.console = { log() {}, warn() {}, error() {}, info() {}, debug() {} };
    globalThis.setInterval = globalThis.clearInterval = globalThis.setImmediate = () => 1;
    globalThis.performance = { now: Date.now };
    globalThis.queueMicrotask = (run) => Promise.resolve().then(run);
    for (const name of ['URL', 'URLSearchParams', 'XMLHttpRequest', 'fetch', 'Headers', 'Request', 'Response', 'Blob', 'FormData'])
      globalThis[name] = function () {};
    var t0 = Date.now();
  `;
  const end = '\ncalls.init(); print(JSON.stringify({ ms: Date.now() - t0 }));';
  // This Hermes knows no lookbehind and no named group: an expression of the peer loses it, which costs neither of them time.
  const code = host + lowered(await bundle(program(sdk))).replaceAll(/\(\?<(?:[!=]|\w+>)/g, '(?:') + end;
  const { printed, stderr } = hermes(here).run(code, { bytecode: true, times: runs });
  if (printed.length !== runs) throw new Error(`Hermes: ${stderr}`);
  return printed.reduce((sum, { ms }) => sum + ms, 0) / runs;
}

/** Nanoseconds of the calls in Node.js, in a process of its own: both replace globals. */
async function callsNs(sdk) {
  const folder = mkdtempSync(path.join(tmpdir(), 'rez-peer-'));
  try {
    const file = path.join(folder, 'bundle.js');
    writeFileSync(file, await bundle(program(sdk)));
    return JSON.parse(execFileSync(process.execPath, [path.join(here, 'calls.mjs'), file], { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function gzipBytes({ entry }, later) {
  return gzipSync(await bundle(`module.exports = require(${JSON.stringify(entry)})`, true, later), { level: 9 }).length;
}

/** Every figure of both. */
export async function measured() {
  const all = {};
  for (const [name, sdk] of Object.entries(SDKS)) {
    all[name] = {
      ...(await callsNs(sdk)),
      initMs: await initMs(sdk),
      gzip: await gzipBytes(sdk, false),
      gzipAll: await gzipBytes(sdk, true),
    };
  }
  return all;
}
