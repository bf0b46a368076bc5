/** Uncaught errors of JavaScript: on the disk before the process ends. */

import { isDevelopment } from '../core/development';
import { quietly } from '../core/guard';
import { isObject } from '../core/read';
import { errorItem } from '../errors/exception';
import { markReported, wasReported } from '../errors/reported';
import type { Source } from './source';

type Handler = (error: unknown, isFatal?: boolean) => void;

interface ErrorUtils {
  getGlobalHandler?: () => Handler | undefined;
  setGlobalHandler?: (handler: Handler) => void;
}

/**
 * Records what nobody catches, then calls the handler before ours, which in a release ends the process.
 *
 * The native layer ignores the exception with which React Native ends the process, so one crash is one event.
 */
export const uncaughtErrors: Source = (client) => {
  const scope = globalThis as { ErrorUtils?: ErrorUtils; document?: unknown };
  const utils = scope.ErrorUtils;
  // The bundle of a web page brings ErrorUtils, and nothing there calls it.
  if (!utils?.setGlobalHandler || scope.document !== undefined) return windowErrors(client);
  const before = utils.getGlobalHandler?.();
  let on = true;
  let inside = false;
  let crashed: unknown;
  const ours: Handler = (error, isFatal) => {
    if (on && !inside) {
      inside = true;
      const ends = isFatal === true && !isDevelopment();
      // An error that the app has caught and thrown on is a crash all the same: that is the more important fact.
      if (!ends || !isObject(error) || error !== crashed) quietly(() => report(client, error, ends));
      if (ends) crashed = error;
      inside = false;
    }
    before?.(error, isFatal);
  };
  utils.setGlobalHandler(ours);
  return () => {
    on = false;
    if (before && utils.getGlobalHandler?.() === ours) utils.setGlobalHandler?.(before);
  };
};

function report(client: Parameters<Source>[0], error: unknown, ends: boolean): void {
  if (!ends && wasReported(error)) return;
  markReported(error);
  const item = errorItem(error, { handled: false, mechanism: 'onerror', level: 'fatal' });
  if (ends) client().recordFatal({ ...item, kind: 'crash' }, { originalException: error });
  else markReported(error, client().record(item, { originalException: error }));
}

interface Window {
  addEventListener(name: string, listener: (event: { error?: unknown; message?: string }) => void): void;
  removeEventListener(name: string, listener: (event: { error?: unknown; message?: string }) => void): void;
}

function windowErrors(client: Parameters<Source>[0]): ReturnType<Source> {
  const page = (globalThis as { window?: Partial<Window> }).window;
  if (typeof page?.addEventListener !== 'function' || typeof page.removeEventListener !== 'function') {
    return 'uncaught errors: this platform has neither ErrorUtils nor a window';
  }
  const listener = (event: { error?: unknown; message?: string }) =>
    quietly(() => report(client, event.error ?? event.message, false));
  page.addEventListener('error', listener);
  return () => page.removeEventListener?.('error', listener);
}
