/** Taps: the label of what was tapped, never a text and never an input. */
import { carrier, client } from '../core/carrier';

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
  const settings = carrier().settings;
  const label = labelOf((event as { _targetInst?: Fiber } | undefined)?._targetInst);
  if (label === undefined) return;
  if (settings.breadcrumbTouch !== false)
    client().breadcrumb({ category: 'touch', type: 'user', message: `tap on ${label}` });
  if (settings.interactions !== false) client().record({ kind: 'interaction', action: 'tap', component: label });
}

function labelOf(target: Fiber | null | undefined): string | undefined {
  let at = target;
  for (let step = 0; at && step < HIGHEST; step++) {
    for (const name of LABELS) {
      const label = at.memoizedProps?.[name];
      if (typeof label === 'string' && label !== '') return label;
    }
    at = at.return;
  }
  return undefined;
}
