/** What stands above the app: one thing at a time, shown by the host that was mounted last. */
import { useLayoutEffect, useState, useSyncExternalStore } from 'react';
import { shared } from '../core/carrier';
import type { FeedbackOptions } from '../feedback/texts';

export type Shown = { what: 'inspector' } | { what: 'feedback'; number: number; options: FeedbackOptions };

type Host = object;

const overlay = () =>
  shared('overlay', () => ({
    shown: undefined as Shown | undefined,
    hosts: [] as Host[],
    listeners: new Set<() => void>(),
  }));

/** Whether something is mounted that can show it. */
export function hasHost(): boolean {
  return overlay().hosts.length > 0;
}

export function show(shown: Shown): void {
  overlay().shown = shown;
  changed();
}

/** Takes it away if it is that. */
export function hide(what: Shown['what']): void {
  if (overlay().shown?.what !== what) return;
  overlay().shown = undefined;
  changed();
}

/** What the calling component is to show now. It is a host while it is mounted. */
export function useShown(): Shown | undefined {
  const [host] = useState<Host>(() => ({}));
  useLayoutEffect(() => {
    overlay().hosts.push(host);
    changed();
    return () => {
      const { hosts } = overlay();
      if (hosts.includes(host)) hosts.splice(hosts.indexOf(host), 1);
      changed();
    };
  }, [host]);
  const shown = () => {
    const { hosts, shown: one } = overlay();
    return hosts[hosts.length - 1] === host ? one : undefined;
  };
  return useSyncExternalStore(subscribe, shown, shown);
}

function subscribe(listener: () => void): () => void {
  const { listeners } = overlay();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function changed(): void {
  for (const listener of Array.from(overlay().listeners)) listener();
}
