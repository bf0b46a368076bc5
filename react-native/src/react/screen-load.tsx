/** Screen loads of components: from their first render to the frame that shows them. */
import { useLayoutEffect, useRef } from 'react';
import { ScreenLoad } from '../api/timing';
import { client, shared } from '../core/carrier';
import type { Stopwatch } from '../core/clock';
import { describe } from '../core/json';
import { afterFrame } from './frame';

/**
 * Measures the load of a screen, from the first render of the calling component.
 *
 * ```tsx
 * function Cart() {
 *   const items = useItems();
 *   useScreenLoad('Cart', items !== undefined);
 * ```
 *
 * Without `ready` the load ends with the first frame. With it, the first frame is the initial display, and the load ends with the first
 * frame in which `ready` is true. A component that is removed before cancels it. One that is hidden after it was shown, and shown again,
 * is no new load.
 */
export function useScreenLoad(name: string, ready = true): void {
  // A screen keeps the name of its first render.
  const screen = useRef('');
  if (screen.current === '') screen.current = describe(name);
  const start = useRef<Stopwatch | undefined>(undefined);
  const load = useRef<ScreenLoad | undefined>(undefined);
  const shown = useRef(false);
  start.current ??= firstRender(screen.current);

  // Not while it renders: React renders what it never mounts. Effects can end and run again, in StrictMode at once.
  useLayoutEffect(() => {
    firstRenders().delete(screen.current);
    if (shown.current) return undefined;
    const begun = new ScreenLoad(screen.current, start.current);
    load.current = begun;
    const cancelFrame = afterFrame(() => begun.initialDisplay());
    return () => {
      cancelFrame();
      begun.cancel();
    };
  }, []);
  useLayoutEffect(() => {
    if (!ready) return undefined;
    return afterFrame(() => {
      load.current?.fullDisplay();
      load.current?.finish();
      shown.current = true;
    });
  }, [ready]);
}

/** The same as an element, for a screen whose component is not yours to change. */
export function TimeToDisplay({ name, ready = true }: { name: string; ready?: boolean }): null {
  useScreenLoad(name, ready);
  return null;
}

/** The most screens that wait for their first mount, and how long one may, in milliseconds. */
const MOST = 16;
const LONGEST_MS = 30_000;

const firstRenders = () => shared('first renders', () => new Map<string, Stopwatch>());

/**
 * When a screen was rendered first. React forgets what a component keeps if it suspends before it was mounted, so this is kept by name.
 * One that was left while it waited is never heard of again: after the limit the next render is the first one.
 */
function firstRender(name: string): Stopwatch {
  const all = firstRenders();
  const known = all.get(name);
  if (known !== undefined && known.elapsed().us <= LONGEST_MS * 1_000) return known;
  const [oldest] = all.keys();
  if (all.size >= MOST && oldest !== undefined) all.delete(oldest);
  const watch = client().stopwatch();
  all.delete(name);
  all.set(name, watch);
  return watch;
}
