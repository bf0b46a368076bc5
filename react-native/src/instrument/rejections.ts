/** Promise rejections that nobody handles. */

import { isDevelopment } from '../core/development';
import { quietly } from '../core/guard';
import { errorItem } from '../errors/exception';
import { markReported, wasReported } from '../errors/reported';
import type { Source } from './source';

interface Hermes {
  hasPromise?: () => boolean;
  enablePromiseRejectionTracker?: (options: {
    allRejections: boolean;
    onUnhandled: (id: number, error: unknown) => void;
    onHandled: (id: number) => void;
  }) => void;
}

interface Page {
  addEventListener?: (name: string, listener: (event: { reason?: unknown }) => void) => void;
  removeEventListener?: (name: string, listener: (event: { reason?: unknown }) => void) => void;
}

/**
 * Records them as errors that do not end the process.
 *
 * Hermes has one place for a listener, which cannot be read. In a debug build React Native's LogBox uses it, so ours stays away.
 */
export const rejections: Source = (client) => {
  const scope = globalThis as { HermesInternal?: Hermes; window?: Page };
  let on = true;
  const report = (error: unknown) => {
    if (!on) return;
    quietly(() => {
      if (wasReported(error)) return;
      const item = errorItem(error, { handled: false, mechanism: 'promise' });
      const id = client().record(item, { originalException: error });
      if (id !== '') markReported(error, id);
    });
  };
  const hermes = scope.HermesInternal;
  if (hermes?.hasPromise?.() && hermes.enablePromiseRejectionTracker) {
    if (isDevelopment()) return 'promise rejections: left to LogBox in a debug build';
    hermes.enablePromiseRejectionTracker({
      allRejections: true,
      onUnhandled: (_id, error) => report(error),
      onHandled: () => undefined,
    });
    return () => {
      on = false;
    };
  }
  const page = scope.window;
  if (!page?.addEventListener) return 'promise rejections: this engine reports none';
  const listener = (event: { reason?: unknown }) => report(event.reason);
  page.addEventListener('unhandledrejection', listener);
  return () => page.removeEventListener?.('unhandledrejection', listener);
};
