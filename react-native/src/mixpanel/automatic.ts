/**
 * The automatic events of Mixpanel's own package: `$ae_first_open`, `$ae_updated`, `$ae_session`. They go to Mixpanel alone.
 *
 * Only the engine remembers earlier starts. One that does not tell costs the first two.
 */
import { AppState } from 'react-native';
import { logEvent, people } from '../api/analytics';
import { carrier, client } from '../core/carrier';
import { quietly } from '../core/guard';
import { read, readText } from '../core/read';
import { MIXPANEL } from './people';

/** A shorter stay in the foreground is no session: the value of Mixpanel's packages. */
const SHORTEST_MS = 10_000;

const MARK = 'mixpanel.automatic';

/** Begins once per engine; `close` ends it. */
export function trackAutomatically(): void {
  const { marks, undo } = carrier();
  if (!client().opened || marks.has(MARK)) return;
  marks.add(MARK);
  const stop = sessions();
  undo.push(() => {
    marks.delete(MARK);
    stop();
  });
  start();
}

/** What the engine says about this start of the app. */
function start(): void {
  // An engine that is closed and opened again belongs to the same start.
  const { marks } = carrier();
  if (marks.has(`${MARK}.start`)) return;
  marks.add(`${MARK}.start`);
  const told = read(client().status()?.status, 'start');
  const version = readText(told, 'version');
  if (read(told, 'first') === true) {
    people.setOnce('$ae_first_app_open_date', new Date(client().clock.wallMs()).toISOString(), MIXPANEL);
    logEvent('$ae_first_open', undefined, MIXPANEL);
  } else if (isNewer(version, readText(told, 'version_before'))) {
    logEvent('$ae_updated', { $ae_updated_version: version }, MIXPANEL);
  }
}

/** Whether a version is greater, number by number. What is no number counts as a separator. */
export function isNewer(version: string, before: string): boolean {
  if (version === '' || before === '') return false;
  const [now, then] = [version, before].map((text) => text.split(/\D+/).filter((part) => part !== ''));
  for (let at = 0; at < Math.max(now?.length ?? 0, then?.length ?? 0); at++) {
    const difference = Number(now?.[at] ?? 0) - Number(then?.[at] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** A session is the time in the foreground, and ends when the app leaves it. */
function sessions(): () => void {
  if (typeof AppState?.addEventListener !== 'function') return () => undefined;
  let watch = AppState.currentState === 'background' ? undefined : client().stopwatch();
  const subscription = AppState.addEventListener('change', (state) =>
    quietly(() => {
      if (state === 'active') watch = client().stopwatch();
      else {
        if (watch) ended(watch.elapsed().us / 1_000);
        // iOS passes `inactive` on the way to `background`.
        watch = undefined;
      }
    }),
  );
  return () => subscription?.remove?.();
}

function ended(ms: number): void {
  if (!(ms >= SHORTEST_MS)) return;
  const seconds = Math.round(ms / 100) / 10;
  logEvent('$ae_session', { $ae_session_length: seconds }, MIXPANEL);
  people.increment('$ae_total_app_sessions', 1, MIXPANEL);
  people.increment('$ae_total_app_session_length', seconds, MIXPANEL);
  // JavaScript may not run again before the process ends.
  client().drain();
}
