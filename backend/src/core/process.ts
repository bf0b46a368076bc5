/**
 * Errors that end the process. They are on the disk before Node.js exits, and its exit stays as it is: the listener only watches.
 *
 * A rejection that nobody handles comes here too, because Node.js makes an uncaught exception of it. An app that has its own listener
 * for `uncaughtException` goes on; the event then still says that nobody caught the error.
 */
import { guarded } from '../../../react-native/src/core/guard';
import { errorItem } from '../../../react-native/src/errors/exception';
import { recordFatal } from './capture';
import { onClose } from './monitor';
import { shared } from './shared';

/** Records uncaught exceptions until the engine closes. One listener per process. */
export function watchUncaught(): void {
  const known = shared('uncaught', () => ({ watched: false }));
  if (known.watched) return;
  known.watched = true;
  process.on('uncaughtExceptionMonitor', onUncaught);
  onClose(() => {
    known.watched = false;
    process.off('uncaughtExceptionMonitor', onUncaught);
  });
}

function onUncaught(error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void {
  guarded(undefined, () => {
    const mechanism = origin === 'unhandledRejection' ? 'onunhandledrejection' : 'onuncaughtexception';
    const item = errorItem(error, { handled: false, mechanism, level: 'fatal' });
    recordFatal({ ...item, kind: 'crash' }, error);
  });
}
