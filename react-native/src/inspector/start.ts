/** Opens and closes the inspector above the app. */
import { guarded, quietly } from '../core/guard';
import { read } from '../core/read';
import { say } from '../core/say';
import { hasHost, hide, show } from '../overlay/state';
import { isInspectorAllowed, sayNotAllowed } from './allowed';

export interface InspectorOptions {
  /**
   * Whether it is shown in this build. Default: what `init` says in `inspector`, else in debug builds only. In a release build the
   * engine answers only if `init` says `inspector: true`.
   */
  enabled?: boolean;
}

/**
 * Opens the inspector above the app. Returns whether it is shown now. Before `withMonitor(App)` is mounted it waits for that. Where
 * it is not allowed, one line in the log says why nothing is shown.
 */
export function startInspector(options: InspectorOptions = {}): boolean {
  return guarded(false, () => {
    const enabled = read(options, 'enabled');
    if (!isInspectorAllowed(enabled)) {
      sayNotAllowed(enabled);
      return false;
    }
    show({ what: 'inspector' });
    if (hasHost()) return true;
    say('startInspector: the inspector opens when `withMonitor(App)` is mounted, or put `<RezInspector/>` on a route');
    return false;
  });
}

/** Closes it. A report form stays open. */
export function stopInspector(): void {
  quietly(() => hide('inspector'));
}
