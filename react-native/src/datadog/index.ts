/**
 * Stands in for `@datadog/browser-rum` and `@datadog/browser-logs`: an app that uses these names of them changes its import lines.
 */
import { captureException } from '../api/capture';
import { setUser } from '../api/scope';
import { client } from '../core/carrier';
import { isRecord, quietly, recordOf } from '../core/guard';
import type { Level } from '../core/items';
import { describe } from '../core/json';
import { initLogs, initRum, startSessionReplayRecording } from './init';
import type { User } from './types';

export type { LogsOptions, RumOptions, User } from './types';

/** `setUser` of `@rez/monitor`: the user of all destinations. */
function setDatadogUser(user: User): void {
  quietly(() => {
    const { id, email, name, ...extra } = recordOf(user);
    setUser({
      ...(id != null && { id: describe(id) }),
      ...(email != null && { email: describe(email) }),
      ...(name != null && { username: describe(name) }),
      ...(Object.keys(extra).length > 0 && { extra }),
    });
  });
}

export const datadogRum = {
  /** `init` with the destination `datadog`. */
  init: initRum,
  startSessionReplayRecording,
  setUser: setDatadogUser,
  /** `setUser(null)`. */
  clearUser: (): void => setUser(null),
  /** `captureException`: an error for all destinations that take errors. */
  addError(error: unknown, context?: object): void {
    quietly(() => captureException(error, isRecord(context) ? { context } : {}));
  },
  /** An interaction for Datadog alone: an action of the type `custom`. */
  addAction(name: string, context?: object): void {
    quietly(() => {
      const attrs = isRecord(context) ? { attrs: context } : {};
      client().record({
        kind: 'interaction',
        action: 'custom',
        component: describe(name),
        targets: ['datadog'],
        ...attrs,
      });
    });
  },
};

function log(level: Level) {
  return (message: string, context?: object, error?: Error): void => {
    quietly(() => {
      const attrs = { ...(isRecord(context) && context), ...(error !== undefined && { error: describe(error) }) };
      client().record({
        kind: 'log',
        message: describe(message),
        level,
        ...(Object.keys(attrs).length > 0 && { attrs }),
      });
    });
  };
}

/** Log entries, for all destinations that take logs. `debug` is recorded if the setting `logLevel` says so. */
const logger = { debug: log('debug'), info: log('info'), warn: log('warning'), error: log('error') };

export const datadogLogs = {
  /** `init` with the destination `datadog`. */
  init: initLogs,
  logger,
  setUser: setDatadogUser,
  clearUser: (): void => setUser(null),
};
