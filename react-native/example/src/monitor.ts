/** Opens the engine. Expo inlines `EXPO_PUBLIC_*` only where it is written out in the app's own code. */
import { type Consent, type InitResult, init } from '@rez/monitor';
import Constants from 'expo-constants';
import { API_URL } from './api';

/** Until the user decides: what is recorded for analytics waits on the device. */
export const CONSENT: { monitoring: Consent; analytics: Consent } = { monitoring: 'granted', analytics: 'pending' };

/** What `init` has done, for the screens that show it. */
export const monitor: InitResult = init({
  app: 'rez-shop',
  release: `rez-shop@${Constants.expoConfig?.version ?? '0.0.0'}`,
  environment: __DEV__ ? 'development' : 'production',
  consent: CONSENT,
  // The shop's own server may continue a trace; no other host gets its headers.
  traceTargets: [API_URL.replace(/^https?:\/\//, '')],
  slowApiMs: 2_000,
  // Testers of this app look at the queue in a release too. Without it only debug builds show the inspector.
  inspector: true,
  rez: {
    endpoint: process.env.EXPO_PUBLIC_REZ_ENDPOINT ?? '',
    key: process.env.EXPO_PUBLIC_REZ_KEY ?? '',
  },
  sentry: { dsn: process.env.EXPO_PUBLIC_SENTRY_DSN ?? '' },
  mixpanel: { key: process.env.EXPO_PUBLIC_MIXPANEL_TOKEN ?? '' },
});
