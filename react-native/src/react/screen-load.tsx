/** Screen loads of components: from their first render to the frame that shows them. */
import { useEffect, useLayoutEffect, useRef } from 'react';
import { type ScreenLoad, trackScreenLoad } from '../api/timing';
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
 * frame in which `ready` is true. A component that is removed before cancels it.
 */
export function useScreenLoad(name: string, ready = true): void {
  const load = useRef<ScreenLoad | undefined>(undefined);
  load.current ??= trackScreenLoad(name);
  useLayoutEffect(() => afterFrame(() => load.current?.initialDisplay()), []);
  useLayoutEffect(() => {
    if (!ready) return undefined;
    return afterFrame(() => {
      load.current?.fullDisplay();
      load.current?.finish();
    });
  }, [ready]);
  useEffect(() => () => load.current?.cancel(), []);
}

/** The same as an element, for a screen whose component is not yours to change. */
export function TimeToDisplay({ name, ready = true }: { name: string; ready?: boolean }): null {
  useScreenLoad(name, ready);
  return null;
}
