import type { Breadcrumb } from '@rez/monitor';

export * from '@rez/monitor';

/** What was recorded, as it goes to the engine: `docs/guide/batch.md` names the members. */
export interface RecordedItem {
  /** Of an event: `error`, `crash`, `message`, `analytics`, `api_call`, .. */
  kind?: string;
  /** Of a breadcrumb. */
  breadcrumb?: Breadcrumb;
  /** Of a change of what later events carry: `user`, `tag`, `context`, .. */
  scope?: string;
  [member: string]: unknown;
}

/**
 * Everything recorded since the test file began or `reset` was called, oldest first.
 *
 * `kind`: only events of this kind, only breadcrumbs (`breadcrumb`), or only changes of the scope (`scope`). An event that `beforeSend`
 * drops is not in the list. The vendors' entries, such as `@rez/monitor/sentry`, record into the same list without a mock.
 */
export function recorded(kind?: string): RecordedItem[];

/**
 * Forgets what was recorded, the calls of the spies, the user and the screen, ends what the app has registered, such as
 * `registerNavigation`, and opens the engine again after `close`. What was passed to `init` stays.
 */
export function reset(): void;
