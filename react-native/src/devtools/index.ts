/** The inspector in Expo's developer tools: Shift+M in the terminal of `expo start`, and `rezq expo:8081`. */
import { type Channel, PLUGIN } from './messages';
import { useChannel } from './use-channel';

/** What this entry uses of `expo/devtools`. */
interface ExpoDevTools {
  getDevToolsPluginClientAsync(name: string): Promise<{
    sendMessage(method: string, payload: object): void;
    addMessageListener(method: string, listener: (payload: unknown) => void): { remove(): void };
  }>;
}

/**
 * Connects the app to the page of `@rez/monitor` in Expo's developer tools. Call it in the root component. In a release build and in tests
 * of the app it does nothing, and a release bundle has none of Expo's code for it.
 */
export function useRezMonitorDevTools(): void {
  if (process.env.NODE_ENV === 'development') {
    // biome-ignore lint/correctness/useHookAtTopLevel: the condition is a constant of the bundle
    useChannel("Expo's developer tools", open);
  }
}

/** Metro removes the branch from a release bundle, with what it imports, as long as no compiler has made another function of this one. */
function load(): Promise<ExpoDevTools> {
  // @ts-expect-error: the package is built without its optional peer
  if (process.env.NODE_ENV === 'development') return import('expo/devtools');
  return Promise.reject(new Error('this is no debug build'));
}

async function open(): Promise<Channel> {
  const { getDevToolsPluginClientAsync } = await load();
  const client = await getDevToolsPluginClientAsync(PLUGIN);
  return {
    send: (method, payload) => client.sendMessage(method, payload),
    onMessage: (method, listener) => client.addMessageListener(method, listener),
  };
}
