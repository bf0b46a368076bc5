/** The place of what stands above the app. `withMonitor` mounts it. */
import { later } from './later';
import { hide, useShown } from './state';

const Layer = later((pages) => pages.Layer);

export function Overlay() {
  const shown = useShown();
  if (shown === undefined) return null;
  return <Layer shown={shown} onClose={() => hide(shown.what)} />;
}
