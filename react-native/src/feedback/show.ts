/** Opens the report form above the app. */
import { guarded } from '../core/guard';
import { sayAlways } from '../core/say';
import { hasHost, show } from '../overlay/state';
import { type FeedbackOptions, optionsOf } from './texts';

let shownForms = 0;

/**
 * Opens the report form above the app. Returns whether it is shown: `withMonitor(App)` must be mounted. Otherwise one line in the log
 * says so.
 *
 * ```ts
 * showFeedback({ eventId: captureException(error) });
 * ```
 */
export function showFeedback(options: FeedbackOptions = {}): boolean {
  return guarded(false, () => {
    if (!hasHost()) {
      sayAlways('showFeedback: nothing is mounted that can show the form; wrap the app in `withMonitor`');
      return false;
    }
    shownForms += 1;
    show({ what: 'feedback', number: shownForms, options: optionsOf(options) });
    return true;
  });
}
