/** The inspector in React Native DevTools, as a panel of Rozenite. */
import { type Channel, PLUGIN } from '../devtools/messages';
import { useChannel } from '../devtools/use-channel';

/** What this entry uses of `@rozenite/plugin-bridge`. */
interface PluginBridge {
  getRozeniteDevToolsClient(name: string): Promise<{
    send(type: string, payload: object): void;
    onMessage(type: string, listener: (payload: unknown) => void): { remove(): void };
  }>;
}

/**
 * Connects the app to the panel "REZ Monitor" in React Native DevTools. Call it in the root component. In a release build and in tests
 * of the app it does nothing, and a release bundle has none of Rozenite's code for it.
 */
export function useRezMonitorRozenite(): void {
  if (process.env.NODE_ENV === 'development') {
    // biome-ignore lint/correctness/useHookAtTopLevel: the condition is a constant of the bundle
    useChannel('Rozenite', open);
  }
}

/** Metro removes the branch from a release bundle, with what it imports, as long as no compiler has made another function of this one. */
function load(): Promise<PluginBridge> {
  // @ts-expect-error: the package is built without its optional peer
  if (process.env.NODE_ENV === 'development') return import('@rozenite/plugin-bridge');
  return Promise.reject(new Error('this is no debug build'));
}

async function open(): Promise<Channel> {
  const { getRozeniteDevToolsClient } = await load();
  const client = await getRozeniteDevToolsClient(PLUGIN);
  return {
    send: (type, payload) => client.send(type, payload),
    onMessage: (type, listener) => client.onMessage(type, listener),
  };
}
