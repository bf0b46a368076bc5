/** The inspector as a component. */
import { useEffect } from 'react';
import { later } from '../overlay/later';
import { isInspectorAllowed, sayNotAllowed } from './allowed';

export interface RezInspectorProps {
  /**
   * Whether it is shown in this build. Default: what `init` says in `inspector`, else in debug builds only. In a release build the
   * engine answers only if `init` says `inspector: true`.
   */
  enabled?: boolean;
  /** The user closes it. Without it there is no such button: a route has its own way back. */
  onClose?: () => void;
}

const Pages = later((pages) => pages.InspectorPages);

/**
 * Shows the queue: events with their payload and their way to each destination, what waits and why, faults of the network, and one event
 * of each kind. It fills its parent. Where it is not allowed, it renders nothing and says so in one line of the log.
 */
export function RezInspector({ enabled, onClose }: RezInspectorProps) {
  const isAllowed = isInspectorAllowed(enabled);
  useEffect(() => {
    if (!isAllowed) sayNotAllowed(enabled);
  }, [isAllowed, enabled]);
  if (!isAllowed) return null;
  return <Pages onClose={typeof onClose === 'function' ? onClose : undefined} />;
}
