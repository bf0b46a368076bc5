/** What the engine has to say to a developer, as lines of the app's logger. `docs/guide/logger.md` lists the messages. */
import type { Client } from '../../../react-native/src/core/client';
import { logger } from './logger';

/** How often the engine is asked, in milliseconds. It says the same at most once a minute. */
const INTERVAL_MS = 1_000;

/** Writes what the engine has said since the last call: an error and a warning as they are, anything else as `debug`. */
export function tellLog(client: Client): void {
  for (const { level, text } of client.takeLog()) {
    if (level === 'error') logger.error(`[rez] ${text}`);
    else if (level === 'warning') logger.warn(`[rez] ${text}`);
    else logger.debug(`[rez] ${text}`);
  }
}

/** Writes what the engine says from now on. Returns what ends it. */
export function followLog(client: Client): () => void {
  // A process must be able to end.
  const timer = setInterval(() => tellLog(client), INTERVAL_MS).unref();
  return () => {
    clearInterval(timer);
    tellLog(client);
  };
}
