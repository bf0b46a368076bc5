/**
 * The package for the tests of an app: `jest.mock('@rez/monitor', () => require('@rez/monitor/jest'))`.
 *
 * It is the package itself over an engine in memory, with a spy around each call, so that a test sees what the app would have sent.
 */
'use strict';

// Jest gives each file its own `jest`. Other runners have none, and load what is not mocked.
const runner = typeof jest === 'undefined' ? undefined : jest;
const real = runner ? runner.requireActual('../lib/commonjs/index.js') : require('../lib/commonjs/index.js');
const { hooksOf } = require('../lib/commonjs/api/settings.js');
const { carrier, setClient } = require('../lib/commonjs/core/carrier.js');
const { Client } = require('../lib/commonjs/core/client.js');
const { allowInspector } = require('../lib/commonjs/inspector/allowed.js');

const items = [];
const keep = (json) => items.push(...JSON.parse(json).items) > 0;
const nothing = () => '';
const done = async () => '';

const client = new Client({
  port: {
    // Always the same, so that the random part of an id is.
    open: () => '{"seed":"000102030405060708090a0b0c0d0e0f","joined":false}',
    recordBatch: keep,
    recordFatal: keep,
    setConsent: () => true,
    forgetUser: () => items.splice(0).length >= 0,
    setForeground: () => true,
    newSession: () => true,
    clearMetrics: () => true,
    setFacts: nothing,
    setConditions: nothing,
    setRelease: nothing,
    addDestinations: nothing,
    removeDestination: nothing,
    pauseDestination: nothing,
    resumeDestination: nothing,
    flush: async () => '{"destinations":[]}',
    persist: done,
    // There was no run before.
    lastRun: async () => 'null',
    close: done,
  },
  // At once, so that no item says how long it has waited.
  schedule: (run) => run(),
});
setClient(client);
client.open({});

/** What `init` was passed, which stays until another `init`: `close` forgets the hooks of the client. */
const passed = { enabled: true, hooks: {} };

/** An engine that is open already installs nothing: a test of an app keeps its `fetch` and its console. */
function init(config) {
  passed.enabled = config?.enabled !== false;
  if (!client.opened) passed.hooks = {};
  Object.assign(passed.hooks, hooksOf(config ?? {}));
  // `init` of the package sets it when it opens the engine.
  if (typeof config?.inspector === 'boolean') allowInspector(config.inspector);
  if (passed.enabled) open();
  else client.switchOff();
  return real.init(config);
}

function open() {
  client.hooks = { ...client.hooks, ...passed.hooks };
  if (!client.opened) client.open({});
}

const spies = [];

function spy(name, call) {
  if (runner === undefined) return call;
  const made = runner.fn(call).mockName(name);
  spies.push(made);
  return made;
}

function mocked(name, value) {
  if (name === 'init') return spy(name, init);
  // Components and classes stay what they are: React and `instanceof` look at them.
  if (typeof value === 'function') return /^[a-z]/.test(name) ? spy(name, value) : value;
  const members = Object.entries(value).map(([member, call]) => [member, spy(`${name}.${member}`, call)]);
  return Object.fromEntries(members);
}

function recorded(kind) {
  client.drain();
  const all = JSON.parse(JSON.stringify(items));
  if (kind === undefined) return all;
  return all.filter((item) => item.kind === kind || (item.kind === undefined && kind in item));
}

function reset() {
  const state = carrier();
  // Before the list is emptied: what ends may record.
  for (const undo of state.undo.splice(0).reverse()) undo();
  client.drain();
  items.length = 0;
  for (const one of spies) one.mockClear();
  state.user = undefined;
  state.screen = undefined;
  state.marks.clear();
  if (passed.enabled) open();
}

const all = {
  ...Object.fromEntries(Object.entries(real).map(([name, value]) => [name, mocked(name, value)])),
  recorded,
  reset,
};
// Without being one of the names.
module.exports = Object.defineProperty(all, '__esModule', { value: true });
