/**
 * Stands in for React Native where its JavaScript is not the subject: native modules are those that the test puts into
 * `globalThis.nativeModules`, everything else answers anything.
 */
const anything = new Proxy(
  function anything() {
    return anything;
  },
  {
    get: (target, name) => {
      if (name === 'then' || name === '__esModule') return undefined;
      if (name === Symbol.toPrimitive) return () => '';
      return name === 'prototype' ? target.prototype : anything;
    },
  },
);

const find = (name) => globalThis.nativeModules?.[name] || null;
const known = {
  TurboModuleRegistry: { get: find, getEnforcing: find },
  NativeModules: new Proxy({}, { get: (_, name) => find(name) || undefined }),
  AppState: { addEventListener: () => ({ remove: () => undefined }), currentState: 'active' },
  AppRegistry: { setWrapperComponentProvider: () => undefined },
  StyleSheet: { create: (styles) => styles, flatten: (style) => style, hairlineWidth: 1, absoluteFill: {} },
  Platform: { OS: 'android', Version: 35, constants: {}, select: (of) => of.android || of.native || of.default },
};

// By inheritance: bundlers copy the names that a module has of its own.
const rest = new Proxy({}, { get: (_, name) => (name === '__esModule' || name === 'then' ? undefined : anything) });
module.exports = Object.assign(Object.create(rest), known);
