/** `beforeSend` and `beforeBreadcrumb` of Sentry as hooks of the client, after those of `init` of `@rez/monitor`. */
import { carrier, client, shared } from '../core/carrier';
import type { EventHint, Hooks } from '../core/client';
import type { EventItem, Breadcrumb as ItemBreadcrumb } from '../core/items';
import { levelOf, sentryLevel } from './contexts';
import { changedItem, isCaptured, viewOf } from './event';
import type { Breadcrumb, Event, Options } from './types';

interface Installed {
  event?: Hooks['event'];
  breadcrumb?: Hooks['breadcrumb'];
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
  const { event, breadcrumb } = client().hooks;
  // `init` of `@rez/monitor` copies the object, so the functions tell whether they are there.
  if (event === undefined || event !== installed.event) installed.event = afterEvent(event);
  if (breadcrumb === undefined || breadcrumb !== installed.breadcrumb)
    installed.breadcrumb = afterBreadcrumb(breadcrumb);
  client().hooks = { event: installed.event, breadcrumb: installed.breadcrumb };
}

function afterEvent(before: Hooks['event']): NonNullable<Hooks['event']> {
  return (item, hint) => {
    if (state().passes) return item;
    const kept = before ? before(item, hint) : item;
    return kept ? sentEvent(kept, hint) : null;
  };
}

function afterBreadcrumb(before: Hooks['breadcrumb']): NonNullable<Hooks['breadcrumb']> {
  return (breadcrumb) => {
    const kept = before ? before(breadcrumb) : breadcrumb;
    return kept ? sentBreadcrumb(kept) : null;
  };
}

function sentEvent(item: EventItem, hint: EventHint): EventItem | null {
  const { beforeSend } = state();
  if (beforeSend === undefined || !isCaptured(item)) return item;
  const view = viewOf(item);
  const kept = beforeSend(view.event, hint);
  if (!isPromise(kept)) return kept ? changedItem(item, kept, view) : null;
  if (item.kind === 'crash') {
    // The process ends before the promise is kept: what the hook has changed so far holds.
    Promise.resolve(kept).catch(() => undefined);
    return changedItem(item, view.event, view);
  }
  // Time and user are those of now, whenever the promise is kept.
  const user = item.user ?? carrier().user;
  const held = { ...item, at_ms: item.at_ms ?? client().clock.wallMs(), ...(user && { user }) };
  Promise.resolve(kept)
    .then((event) => {
      if (!event) return;
      const changed = changedItem(held, event, view);
      // It was counted when it was held.
      client().filtered -= 1;
      pass(changed);
    })
    // A hook that fails lets nothing through.
    .catch(() => undefined);
  return null;
}

/** Records an event that has passed the hooks. */
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
