/** `beforeSend` and `beforeBreadcrumb` of Sentry as hooks of the client, after those of `init` of `@rez/monitor`. */
import { client, shared } from '../core/carrier';
import type { EventHint, Hooks } from '../core/client';
import type { EventItem, Breadcrumb as ItemBreadcrumb } from '../core/items';
import { levelOf, sentryLevel } from './contexts';
import { changedItem, isCaptured, viewOf } from './event';
import type { Breadcrumb, Event, Options } from './types';

interface Installed {
  hooks?: Hooks;
  beforeSend?: Options['beforeSend'];
  beforeBreadcrumb?: Options['beforeBreadcrumb'];
  /** An event that a promise has let through is recorded. */
  passes: boolean;
}

const state = () => shared<Installed>('sentry.hooks', () => ({ passes: false }));

/** Installs the hooks of these options in place of those of an earlier `init`. */
export function installHooks({ beforeSend, beforeBreadcrumb }: Options): void {
  const installed = state();
  installed.beforeSend = typeof beforeSend === 'function' ? beforeSend : undefined;
  installed.beforeBreadcrumb = typeof beforeBreadcrumb === 'function' ? beforeBreadcrumb : undefined;
  const before = client().hooks;
  if (installed.hooks !== undefined && installed.hooks === before) return;
  installed.hooks = {
    event: (item, hint) => {
      const kept = before.event ? before.event(item, hint) : item;
      return kept ? sentEvent(kept, hint) : null;
    },
    breadcrumb: (breadcrumb) => {
      const kept = before.breadcrumb ? before.breadcrumb(breadcrumb) : breadcrumb;
      return kept ? sentBreadcrumb(kept) : null;
    },
  };
  client().hooks = installed.hooks;
}

function sentEvent(item: EventItem, hint: EventHint): EventItem | null {
  const { beforeSend, passes } = state();
  if (beforeSend === undefined || passes || !isCaptured(item)) return item;
  const view = viewOf(item);
  const kept = beforeSend(view.event, hint);
  if (!isPromise(kept)) return kept ? changedItem(item, kept, view) : null;
  const atMs = item.at_ms ?? client().clock.wallMs();
  kept.then(
    (event) => {
      if (event) pass(changedItem({ ...item, at_ms: atMs }, event, view));
    },
    // A hook that fails lets nothing through.
    () => undefined,
  );
  return null;
}

function pass(item: EventItem): void {
  const installed = state();
  installed.passes = true;
  try {
    client().record(item);
  } finally {
    installed.passes = false;
  }
}

function isPromise(value: unknown): value is PromiseLike<Event | null> {
  return typeof (value as { then?: unknown } | null)?.then === 'function';
}

function sentBreadcrumb(breadcrumb: ItemBreadcrumb): ItemBreadcrumb | null {
  const { beforeBreadcrumb } = state();
  if (beforeBreadcrumb === undefined) return breadcrumb;
  const shown = { ...breadcrumb, level: sentryLevel(breadcrumb.level) };
  const kept = beforeBreadcrumb(shown as Breadcrumb);
  if (!kept) return null;
  const { level, timestamp, ...rest } = kept;
  const known = levelOf(level);
  return { ...rest, ...(known && { level: known }) } as ItemBreadcrumb;
}
