/** The example app on a phone: its own code, and the package for React Native on a second engine. */
import { createRequire } from 'node:module';
import { flush } from '../../react-native/src/api/delivery';
import { close, init } from '../../react-native/src/api/init';
import { setClient } from '../../react-native/src/core/carrier';
import { Client } from '../../react-native/src/core/client';

/** Opens the engine in `folder`, and returns the calls of the app to `url`. What it records goes to the Collector at `endpoint`. */
export async function openPhone({ addon, folder, endpoint, url }) {
  const { RezMonitor } = createRequire(import.meta.url)(addon);
  setClient(new Client({ port: new RezMonitor() }));
  const { problems } = init({
    app: 'rez-shop',
    release: 'rez-shop@1.0.0',
    folder,
    consent: { monitoring: 'granted', analytics: 'granted' },
    traceTargets: ['127.0.0.1'],
    destinations: [{ name: 'otlp', kind: 'otlp', endpoint }],
  });
  if (problems.length > 0) throw new Error(problems.join('; '));
  // The app reads it when it is loaded.
  process.env.EXPO_PUBLIC_API_URL = url;
  const { getProduct, putInCart, pay } = await import('../../react-native/example/src/api');
  return { getProduct, putInCart, pay, flush, close };
}
