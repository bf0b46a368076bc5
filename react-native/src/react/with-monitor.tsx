/** The root of an app: time to the first render, time to interactive, taps, and what stands above the app. */
import { type ComponentType, useLayoutEffect } from 'react';
import { type GestureResponderEvent, View } from 'react-native';
import { carrier, client } from '../core/carrier';
import { quietly } from '../core/guard';
import { touched } from '../instrument/touches';
import { Overlay } from '../overlay/overlay';
import { componentName, isComponent } from './component';
import { afterFrame } from './frame';

/** When the bundle began to run, where React Native says so. In milliseconds of `performance.now()`. */
function bundleStartMs(): number | undefined {
  const start = (globalThis as { __BUNDLE_START_TIME__?: unknown }).__BUNDLE_START_TIME__;
  return typeof start === 'number' ? start : undefined;
}

/** A duration of the start of the app, at most once per process. */
function startMetric(name: 'time_to_first_render' | 'time_to_interactive'): void {
  const start = bundleStartMs();
  const { marks } = carrier();
  if (marks.has(name)) return;
  marks.add(name);
  const ms = start === undefined ? undefined : client().clock.monoMs() - start;
  // An app that was started in the background renders much later: that is no start. The limit is that of app starts.
  if (ms === undefined || ms < 0 || ms > 60_000) return;
  client().record({ kind: 'metric', name: `app.${name}`, type: 'distribution', value: ms, unit: 'millisecond' });
}

/** The user can use the app now: data is there, buttons work. Records the time since the bundle began to run, once. */
export function markInteractive(): void {
  quietly(() => startMetric('time_to_interactive'));
}

/**
 * The app with its root observed: `export default withMonitor(App)`.
 *
 * Shows what `startInspector()` and `showFeedback()` open. Records the time to the first render, and taps if the setting `interactions`
 * or `breadcrumbTouch` is on; nothing after `close`. What is no component is returned as it is.
 */
export function withMonitor<P extends object>(App: ComponentType<P>): ComponentType<P> {
  if (!isComponent(App)) return App;
  const Monitored = (props: P) => {
    useLayoutEffect(() => afterFrame(() => quietly(() => startMetric('time_to_first_render'))), []);
    return (
      <>
        <View style={FILL} onTouchEndCapture={onTouchEnd}>
          <App {...props} />
        </View>
        {/* Beside it: what is touched there is no use of the app. */}
        <Overlay />
      </>
    );
  };
  Monitored.displayName = `withMonitor(${componentName(App, 'App')})`;
  return Monitored;
}

const FILL = { flex: 1 } as const;

function onTouchEnd(event: GestureResponderEvent): void {
  quietly(() => touched(event));
}
