/** The real engine in this process, for a page: each method is a request. */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';

const WAIT_MS = 30_000;
const spec = path.resolve(import.meta.dirname, '../../src/specs/NativeRezMonitor.ts');

/** The addon that `REZ_NODE_ADDON` names, or that of the checkout; null if there is none. */
function addonFile() {
  const built = path.join(import.meta.dirname, '../../../target/debug/react-native/rez_monitor_node.node');
  const file = path.resolve(process.env.REZ_NODE_ADDON ?? built);
  return fs.existsSync(file) ? file : null;
}

export function missing() {
  return addonFile() === null && 'no engine for Node.js: cargo xtask react-native builds it, or set REZ_NODE_ADDON';
}

/** The methods of the specification, and whether each returns a promise. */
function methods() {
  const found = fs.readFileSync(spec, 'utf8').matchAll(/^ {2}(\w+)\(.*\): (Promise)?.*;$/gm);
  return [...found].map(([, name, promise]) => ({ name, isAsync: promise !== undefined }));
}

/** Runs in the page, before its bundle. The functions of the page that it uses are those from before anybody replaces them. */
function supply(known) {
  const { fetch, XMLHttpRequest } = window;
  const { open, send } = XMLHttpRequest.prototype;
  const engine = {};
  for (const { name, isAsync } of known) {
    const address = `/engine/${name}`;
    engine[name] = isAsync
      ? (...args) => fetch(address, { method: 'POST', body: JSON.stringify(args) }).then((answer) => answer.json())
      : (...args) => {
          const request = new XMLHttpRequest();
          open.call(request, 'POST', address, false);
          send.call(request, JSON.stringify(args));
          return JSON.parse(request.responseText);
        };
  }
  window.__REZ_MONITOR_ENGINE__ = engine;
}

/** Opens nothing: the page does. `endpoint`: where the destination `rez` sends, in the place of the address in the build. */
export function startEngine(endpoint) {
  const addon = createRequire(import.meta.url)(addonFile());
  const engine = new addon.RezMonitor();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rez-example-'));
  const here = (settings) => {
    const { destinations = [], ...rest } = JSON.parse(settings);
    const moved = destinations.map((one) => (one.kind === 'rez' ? { ...one, endpoint } : one));
    return JSON.stringify({ ...rest, folder, destinations: moved });
  };
  return {
    script: { content: `(${supply})(${JSON.stringify(methods())})` },
    async answer(name, args) {
      const passed = name === 'open' ? [here(args[0]), args[1]] : args;
      return engine[name]?.(...passed) ?? null;
    },
    /** What everything recorded so far has become. */
    async rows() {
      await engine.persist(WAIT_MS);
      return JSON.parse(addon.testRows(folder)).rows;
    },
    async close() {
      await engine.close(WAIT_MS);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
