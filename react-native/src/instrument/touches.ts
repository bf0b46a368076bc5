/** Taps: the label of what was tapped, never a text and never an input. */
import { client } from '../core/carrier';
import { observes } from './source';

/** What React Native keeps of an element. Nothing of it is public, so every member may be missing. */
interface Fiber {
  memoizedProps?: Record<string, unknown> | null;
  return?: Fiber | null;
}

/** Elements that are looked at above the one that was tapped. */
const HIGHEST = 32;

/** The label that an element gives itself, in this order. An accessibility label can hold what the user sees, so it is not used. */
const LABELS = ['rez-label', 'testID', 'nativeID'] as const;

/** Records a tap on an element that has a label, or lies in one that has. */
export function touched(event: unknown): void {
  if (!observes('breadcrumbTouch') && !observes('interactions')) return;
  const label = labelOf((event as { _targetInst?: Fiber } | undefined)?._targetInst);
  if (label === undefined) return;
  if (observes('breadcrumbTouch')) client().breadcrumb({ category: 'touch', type: 'user', message: `tap on ${label}` });
  if (observes('interactions')) client().record({ kind: 'interaction', action: 'tap', component: label });
}

function labelOf(target: Fiber | null | undefined): string | undefined {
  let at = target;
  for (let step = 0; at && step < HIGHEST; step++) {
    for (const name of LABELS) {
      const label = at.memoizedProps?.[name];
      // The inspector on a route of the app: looking at the queue must not fill it.
      if (typeof label === 'string' && label.startsWith('rez-inspector')) return undefined;
      if (typeof label === 'string' && label !== '') return label;
    }
    at = at.return;
  }
  return undefined;
}
