/**
 * The JavaScript of an app of the shop, without a phone: the package as npm has it, its hooks for developer tools mounted by React, the
 * engine of `REZ_NODE_ADDON`, and the clients of Expo and Rozenite. `node headless.cjs <shop> <origin of Metro> <address of rez>`.
 *
 * It says `{ready}` to its parent, and `{binding}` for what it sends to React Native DevTools; `{domain}` is what comes from there.
 */
const fs = require('node:fs');
const Module = require('node:module');
const os = require('node:os');
const path = require('node:path');

const [shop, origin, endpoint] = process.argv.slice(2);
const ofShop = Module.createRequire(path.join(shop, 'package.json'));
const { resolve } = ofShop;
const platform = path.join(__dirname, '../hermes/react-native.js');

// What Metro does for a phone: its files first, the server's address, and no syntax that Node.js does not know.
const reactNative = { 'react-native': platform, './getConnectionInfo': './getConnectionInfo.native' };
const { _resolveFilename: find, _load: load } = Module;
Module._resolveFilename = (name, ...rest) => find(reactNative[name] ?? name, ...rest);
Module._load = (name, ...rest) =>
  name.endsWith('/Devtools/getDevServer') ? { default: () => ({ url: `${origin}/` }) } : load(name, ...rest);
const { transformSync } = ofShop('@babel/core');
const preset = resolve('@react-native/babel-preset', { paths: [path.dirname(resolve('babel-preset-expo'))] });
const plain = Module._extensions['.js'];
Module._extensions['.js'] = (module, file) => {
  if (!/\/node_modules\/(@expo\/devtools|react-native)\//.test(file)) return plain(module, file);
  const options = { filename: file, presets: [preset], babelrc: false, configFile: false };
  module._compile(transformSync(fs.readFileSync(file, 'utf8'), options).code, file);
};

globalThis.__DEV__ = true;
globalThis.window = globalThis;
globalThis.WebSocket = ofShop('ws');
const addon = require(process.env.REZ_NODE_ADDON);
globalThis.nativeModules = { RezMonitor: new addon.RezMonitor() };

// React Native's own end of React Native DevTools: a debugger adds the binding, and evaluates calls of the dispatcher.
ofShop(
  path.join(
    path.dirname(resolve('react-native/package.json')),
    'src/private/devsupport/rndevtools/setUpFuseboxReactDevToolsDispatcher.js',
  ),
);
const dispatcher = globalThis.__FUSEBOX_REACT_DEVTOOLS_DISPATCHER__;
globalThis[dispatcher.BINDING_NAME] = (binding) => process.send({ binding });
process.on('message', ({ domain }) => dispatcher.sendMessage('rozenite', domain));
process.on('disconnect', () => process.exit());

const { createElement } = ofShop('react');
const { act, create } = ofShop('react-test-renderer');
const { init, logEvent, persist } = ofShop('@rez/monitor');
const { useRezMonitorDevTools } = ofShop('@rez/monitor/devtools');
const { useRezMonitorRozenite } = ofShop('@rez/monitor/rozenite');

async function start() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-headless-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const consent = { monitoring: 'granted', analytics: 'granted' };
  const app = { folder, app: 'shop', release: 'shop@1', sessions: false, consent };
  const { problems } = init({ ...app, rez: { endpoint, key: 'write-key' } });
  if (problems.length > 0) throw new Error(problems.join('; '));
  logEvent('begin_checkout', { stock: 9007199254740993n });
  await persist(30_000);
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  await act(async () => {
    create(
      createElement(function App() {
        useRezMonitorDevTools();
        useRezMonitorRozenite();
        return null;
      }),
    );
  });
  process.send({ ready: true });
}

start();
