/** Screens of React Navigation, by its public API alone: no import, so that an app without it pays nothing. */
import { type ScreenLoad, trackScreenLoad } from '../api/timing';
import { carrier, client } from '../core/carrier';
import { quietly } from '../core/guard';
import { describe } from '../core/json';
import { afterFrame } from '../react/frame';

/** What is used of a navigation container ref. */
export interface NavigationRef {
  getCurrentRoute(): { name: string; key?: string } | undefined;
  addListener(event: 'state', listener: () => void): () => void;
  isReady?(): boolean;
}

/**
 * Observes a navigation container: each route that becomes the current one is a screen load, and a breadcrumb.
 *
 * ```tsx
 * const ref = useNavigationContainerRef();
 * useEffect(() => registerNavigation(ref), [ref]);
 * ```
 *
 * Returns how to stop. `close()` stops it too.
 */
export function registerNavigation(ref: NavigationRef): () => void {
  const routes = new Routes();
  const look = () =>
    quietly(() => {
      const route = ref.getCurrentRoute();
      if (route) routes.enter(describe(route.name), route.key);
    });
  let stop: () => void = () => undefined;
  quietly(() => {
    stop = ref.addListener('state', look);
    if (ref.isReady?.() !== false) look();
  });
  let stopped = false;
  const end = () => {
    if (stopped) return;
    stopped = true;
    const { undo } = carrier();
    const at = undo.indexOf(end);
    if (at >= 0) undo.splice(at, 1);
    quietly(stop);
    routes.leave();
  };
  carrier().undo.push(end);
  return end;
}

/** The route that is current, and its load. */
export class Routes {
  private name: string | undefined;
  private key: string | undefined;
  private load: ScreenLoad | undefined;
  private cancelFrame: (() => void) | undefined;

  /** A route is current. The same one again, after a change of its parameters, is no new screen. */
  enter(name: string, key?: string): void {
    if (name === this.name && key === this.key) return;
    const from = this.name;
    this.leave();
    this.name = name;
    this.key = key;
    const { settings } = carrier();
    if (settings.breadcrumbNavigation !== false) {
      const data = from === undefined ? { to: name } : { from, to: name };
      client().breadcrumb({ type: 'navigation', category: 'navigation', data });
    }
    if (settings.screens === false) return;
    const load = trackScreenLoad(name);
    this.load = load;
    this.cancelFrame = afterFrame(() => {
      load.initialDisplay();
      load.finish();
    });
  }

  /** Ends what has not been shown. */
  leave(): void {
    this.cancelFrame?.();
    this.load?.cancel();
    this.cancelFrame = undefined;
    this.load = undefined;
    this.name = undefined;
    this.key = undefined;
  }
}
