/** The last spans of a process that nobody closes: at a signal, and when the event loop is empty. Its exit stays what it is. */
import { isMainThread } from 'node:worker_threads';
import { logger } from '../core/logger';
import { FLUSH_MS } from './policy';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

type Work = () => Promise<void>;

/**
 * Sends spans before the process ends.
 *
 * A listener for a signal takes away Node.js's default, which is to end. So where the app has no listener of its own, the signal is sent
 * again as soon as the spans are out, and ends the process as it would have. Where it has one, the app decides when to end; then only
 * what has ended by now is sent, and `close` sends the rest.
 */
export function flushAtEnd(flush: Work, stop: Work): void {
  process.once('beforeExit', () => limited(stop));
  // A worker gets no signals.
  if (!isMainThread) return;
  for (const signal of SIGNALS) {
    const listener = () => {
      // It goes at once: a second signal, and whoever sends the signal again at the end of the app, meet Node.js's default.
      process.removeListener(signal, listener);
      // It stood first, so a listener of the app that is called once is still among the others.
      if (process.listenerCount(signal) > 0) {
        limited(flush);
        return;
      }
      limited(stop).then(() => {
        // One that the app has added meanwhile takes over.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    process.prependListener(signal, listener);
  }
}

/** Waits for the work, and not longer than the limit. Never rejects. */
function limited(work: Work): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, FLUSH_MS);
    work()
      .catch((error: unknown) => logger.debug('[rez] the last spans were not sent', { error: String(error) }))
      .finally(() => {
        clearTimeout(timer);
        resolve();
      });
  });
}
