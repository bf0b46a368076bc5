/**
 * Where the events of this entry go: the destination `ga4`. Firebase has no start in JavaScript, so its keys come from `configure`, or
 * from `init` of `@rez/monitor`.
 */
import type { InitResult } from '../api/init';
import type { Ga4Destination } from '../api/settings';
import { client } from '../core/carrier';
import { guarded, recordOf } from '../core/guard';
import { open } from '../vendors/open';

/** The one destination of this entry. */
export const GA4 = { targets: ['ga4'] } as const;

/** The keys of GA4's Measurement Protocol, from *Admin, Data streams, Measurement Protocol API secrets*. */
export type Ga4Keys = Partial<Ga4Destination> & { environment?: string; release?: string };

/** Opens the engine with GA4, or adds it. */
export function configure(keys: Ga4Keys): InitResult {
  return guarded({ recording: client().opened, problems: ['analytics.configure: the keys cannot be read'] }, () => {
    const { environment, release, ...ga4 } = recordOf(keys);
    return open('analytics.configure', { ga4, environment, release });
  });
}

/** False: events are not sent to GA4 from now on, also after a restart (`pauseDestination`). */
export function setCollection(enabled: boolean): void {
  if (enabled) client().resumeDestination('ga4');
  else client().pauseDestination('ga4');
}
