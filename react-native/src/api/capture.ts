/** Errors, messages, breadcrumbs, feedback. */
import { client } from '../core/carrier';
import { timeMs } from '../core/clock';
import { guarded, quietly, recordOf } from '../core/guard';
import type { Attributes, Breadcrumb, Level, Severity, Trace, User } from '../core/items';
import { describe } from '../core/json';
import { errorItem } from '../errors/exception';
import { markReported } from '../errors/reported';
import { members } from './members';

/** What stands on an error or a message beside its text. Every member is optional. */
export interface CaptureOptions {
  level?: Level;
  severity?: Severity;
  /** The app's own code: `PAYMENT_ERROR`. */
  code?: string;
  /** False: nobody caught it. Default true. */
  handled?: boolean;
  /** What caught it: `promise`, `onerror`. Default `generic`. */
  mechanism?: string;
  /** Errors of one fingerprint are one issue. `{{ default }}` stands for the vendor's own grouping. */
  fingerprint?: string | readonly string[];
  tags?: Readonly<Record<string, string>>;
  user?: User;
  /** Each member that is an object becomes a context at Sentry; the others become the context `extra`. */
  context?: Attributes;
  attributes?: Attributes;
  /** The component stack of a React error boundary. */
  componentStack?: string;
  /** The span it belongs to. */
  trace?: Trace;
  /** Names of the destinations that receive it. Default: all that take errors. */
  targets?: readonly string[];
}

/**
 * Records what was caught, whatever it is: an `Error` with its causes, a text, a rejected `undefined`.
 *
 * Returns the id of the event, which `why(id)` explains, or an empty text if nothing was recorded. An error that is thrown on
 * afterwards is not recorded again, unless it ends the process: then it is also a crash.
 */
export function captureException(thrown: unknown, options: CaptureOptions = {}): string {
  return guarded('', () => {
    const item = { ...errorItem(thrown, options ?? {}), ...common(options) };
    const id = client().record(item, { originalException: thrown });
    if (id !== '') markReported(thrown, id);
    return id;
  });
}

/** Records a text with a level, `info` if none is given. */
export function captureMessage(message: string, level: Level | CaptureOptions = 'info'): string {
  return guarded('', () => {
    const options: CaptureOptions = typeof level === 'string' ? { level } : level;
    return client().record({
      kind: 'message',
      message: describe(message),
      level: 'info',
      ...members(options, 'level', 'context'),
      ...common(options),
    });
  });
}

/** Records what a user writes about the app, or about an event. */
export function captureFeedback(
  message: string,
  about: { name?: string; email?: string; eventId?: string } = {},
): string {
  return guarded('', () => {
    const { name, email, eventId } = members(about, 'name', 'email', 'eventId');
    return client().record({
      kind: 'feedback',
      message: describe(message),
      ...(name !== undefined && { name }),
      ...(email !== undefined && { email }),
      ...(eventId !== undefined && { about: eventId }),
    });
  });
}

/** A breadcrumb with its own time: a `Date`, an ISO text, seconds or milliseconds since 1970. */
export type TimedBreadcrumb = Breadcrumb & { timestamp?: number | string | Date };

/** Records a step on the way to an error. The last 100 are attached to the next error. */
export function addBreadcrumb(breadcrumb: TimedBreadcrumb): void {
  quietly(() => {
    const { timestamp } = members(breadcrumb, 'timestamp');
    const known = members(breadcrumb, 'type', 'category', 'message', 'level', 'data');
    // Members of the app's own are for its hook; where one throws, the step is still worth more than nothing.
    const own = guarded<Breadcrumb>({}, () => {
      const { timestamp: _, ...rest } = recordOf(breadcrumb);
      return rest;
    });
    client().breadcrumb({ ...own, ...known }, timeMs(timestamp));
  });
}

function common(options: CaptureOptions | null | undefined) {
  const { attributes } = members(options, 'attributes');
  return { ...(attributes && { attrs: attributes }), ...members(options, 'tags', 'user', 'trace', 'targets') };
}
