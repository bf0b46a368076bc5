/** What an app has beside the neighbours, as far as they use it here: React Native, React, Expo. Their native halves note their calls. */

type Calls = [name: string, ...args: unknown[]][];

const all = globalThis as { neighbours?: Calls };
all.neighbours ??= [];

/** Each call of a native half: its name and its arguments. Each neighbour has its own copy of this file. */
export const native: Calls = all.neighbours;

/** A native module whose methods all exist. */
function nativeModule(module: string): object {
  return new Proxy(
    {},
    {
      get: (_, name) =>
        typeof name === 'string'
          ? (...args: unknown[]) => {
              native.push([`${module}.${name}`, ...args]);
              return Promise.resolve();
            }
          : undefined,
    },
  );
}

/** A component, a style or a helper that nothing here renders: every member of it and every result is one too. */
const Unused: object = new Proxy(() => undefined, {
  get: (target, name) => {
    if (typeof name === 'symbol') return undefined;
    return name === 'prototype' ? Reflect.get(target, name) : Unused;
  },
  apply: () => Unused,
});

class NativeEventEmitter {
  addListener = () => ({ remove: () => undefined });
  removeAllListeners = () => undefined;
}

const MODULES = { DdRum: nativeModule('DdRum'), DdSdk: nativeModule('DdSdk'), DdLogs: nativeModule('DdLogs') };

const known = {
  __esModule: true,
  Platform: {
    OS: 'ios',
    Version: '18.1',
    constants: { reactNativeVersion: { major: 0, minor: 83, patch: 10 } },
    select: (of: Record<string, unknown>) => of.ios ?? of.native ?? of.default,
  },
  NativeModules: MODULES,
  TurboModuleRegistry: { get: (name: keyof typeof MODULES) => MODULES[name] ?? null },
  NativeEventEmitter,
  AppState: { currentState: 'active', addEventListener: () => ({ remove: () => undefined }) },
  AppRegistry: { setWrapperComponentProvider: () => undefined, registerComponent: () => undefined },
};

export const reactNative = new Proxy(known as typeof known & Record<string, unknown>, {
  get: (of, name) => (name in of ? of[name as string] : typeof name === 'string' ? Unused : undefined),
  has: () => true,
});

const expo = {
  requireNativeModule: (name: string) => nativeModule(name),
  useEventListener: () => undefined,
  EventEmitter: NativeEventEmitter,
};

/** The other packages of an app. */
export const others: Record<string, unknown> = {
  expo,
  'expo-modules-core': expo,
  ...Object.fromEntries(
    [
      'Promise',
      'Core/Devtools/parseErrorStack',
      'Core/Devtools/symbolicateStackTrace',
      'Core/Devtools/getDevServer',
      'Utilities/PolyfillFunctions',
      'NativeComponent/NativeComponentRegistry',
      'BatchedBridge/BatchedBridge',
    ].map((name) => [`react-native/Libraries/${name}`, Unused]),
  ),
};
