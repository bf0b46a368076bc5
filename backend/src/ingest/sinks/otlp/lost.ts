/** Lost events as the cumulative sum `app.queue.dropped`, as the engine sends it. */
import type { LostTotal } from '../../batch';
import { Attributes } from './attributes';

const CUMULATIVE = 2;

/** The request for totals of one installation. */
export function lostRequest(totals: readonly LostTotal[], nowMs: number): object {
  const dataPoints = totals.map(({ reason, kind, epoch, count }) => {
    const a = new Attributes();
    a.text('app.queue.reason', reason);
    a.text('app.queue.kind', kind);
    a.int('app.queue.epoch', epoch);
    return { timeUnixNano: `${nowMs}000000`, asInt: String(count), attributes: a.list };
  });
  const resource = new Attributes();
  resource.text('app.installation.id', totals[0]?.install);
  resource.text('rez.project', totals[0]?.project);
  const metric = {
    name: 'app.queue.dropped',
    description: 'Events that were not delivered',
    unit: '{event}',
    sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true },
  };
  return {
    resourceMetrics: [
      {
        resource: { attributes: resource.list },
        scopeMetrics: [{ scope: { name: 'rez-monitor' }, metrics: [metric] }],
      },
    ],
  };
}
