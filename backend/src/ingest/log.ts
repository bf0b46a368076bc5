/** Lines of the log about failures that repeat: a storm of requests must not become a storm of lines. */
import { describe } from '../../../react-native/src/core/json';
import { logger } from '../core/logger';
import { LOG_INTERVAL_MS } from './limits';

/** Says why requests cannot be answered, at most once in 10 s, with the number of failures since the last line. */
export function complaints(now: () => number): (error: unknown) => void {
  let next = 0;
  let failures = 0;
  return (error) => {
    failures += 1;
    if (now() < next) return;
    next = now() + LOG_INTERVAL_MS;
    logger.error('[rez] ingest: batches cannot be stored; clients keep their events and send them again', {
      error: describe(error),
      failures,
    });
    failures = 0;
  };
}
