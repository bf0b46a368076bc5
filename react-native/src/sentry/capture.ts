/** What Sentry's package records: each function becomes the call of the same name in `@rez/monitor`. */
import * as modern from '../api/capture';
import { setUser as setModernUser } from '../api/scope';
import { carrier, client } from '../core/carrier';
import { defined, guarded, isRecord, quietly, recordOf } from '../core/guard';
import { describe } from '../core/json';
import { unsupported } from '../core/unsupported';
import { errorItem } from '../errors/exception';
import { contextMaps, fromContexts, levelOf } from './contexts';
import type { Breadcrumb, CaptureContext, SeverityLevel, User } from './types';
import { itemUser } from './user';

/** `captureException`: contexts are its `context`; the context `error` with `code` and `severity` is also its code and severity. */
export function captureException(
  error: unknown,
  context?: CaptureContext | { captureContext?: CaptureContext },
): string {
  return guarded('', () => {
    const given = captureContext(context);
    const options = { ...members(given), ...fromContexts(given.contexts, given.extra) };
    return client().record({ ...errorItem(error, options), ...options }, { originalException: error });
  });
}

/** `captureMessage`, `info` unless a level is given. */
export function captureMessage(message: string, context: SeverityLevel | CaptureContext = 'info'): string {
  return guarded('', () => {
    const given = typeof context === 'string' ? { level: context } : captureContext(context);
    const maps = defined({ context: contextMaps(given.contexts, given.extra) });
    return client().record({ kind: 'message', message: describe(message), level: 'info', ...members(given), ...maps });
  });
}

/** `setUser`. Null: nobody, after a logout. */
export function setUser(user: User | null): void {
  quietly(() => setModernUser(user ? itemUser(user) : null));
}

/** `addBreadcrumb`. */
export function addBreadcrumb(breadcrumb: Breadcrumb): void {
  quietly(() => {
    const { level, ...rest } = recordOf(breadcrumb);
    modern.addBreadcrumb(defined({ ...rest, level: levelOf(level) }) as modern.TimedBreadcrumb);
  });
}

function captureContext(given: unknown): CaptureContext {
  if (typeof given === 'function') {
    unsupported(
      'Sentry.captureException(error, function)',
      'pass an object with level, contexts, tags, user, extra, fingerprint',
    );
  }
  if (!isRecord(given)) return {};
  return (isRecord(given.captureContext) ? given.captureContext : given) as CaptureContext;
}

function members({ level, tags, user, fingerprint }: CaptureContext) {
  return defined({
    level: levelOf(level),
    tags: isRecord(tags) ? (tags as Record<string, string>) : undefined,
    // As at Sentry, the user of one event keeps the members of the scope that it does not name.
    user: isRecord(user) ? { ...carrier().user, ...itemUser(user) } : undefined,
    fingerprint: Array.isArray(fingerprint) ? (fingerprint as string[]) : undefined,
  });
}
