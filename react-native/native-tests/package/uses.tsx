/** An app that uses every entry of the package, compiled against each version of React Native. */
import {
  addDestinations,
  type Config,
  captureException,
  close,
  ErrorBoundary,
  type FallbackProps,
  type Flushed,
  flush,
  init,
  logEvent,
  MonitoredImage,
  type NavigationRef,
  registerNavigation,
  startSpan,
  TimeToDisplay,
  trackAPICall,
  useRouteScreens,
  withErrorBoundary,
  withMonitor,
  wrapFetch,
} from '@rez/monitor';
import * as datadog from '@rez/monitor/datadog';
import { useRezMonitorDevTools } from '@rez/monitor/devtools';
import * as analytics from '@rez/monitor/firebase-analytics';
import * as guide from '@rez/monitor/guide';
import * as mixpanel from '@rez/monitor/mixpanel';
import { useRezMonitorRozenite } from '@rez/monitor/rozenite';
import * as sentry from '@rez/monitor/sentry';
import type { ReactElement } from 'react';
import { Text, View } from 'react-native';

const config: Config = {
  app: 'shop',
  release: 'shop@1.0.0',
  consent: { monitoring: 'granted', analytics: 'pending' },
  sentry: { dsn: 'https://key@o1.ingest.sentry.io/1' },
};
const problems: string[] = init(config).problems;
addDestinations({ rez: { endpoint: 'https://in.shop.example', key: 'write-key' } });

function Fallback({ error }: FallbackProps): ReactElement {
  return <Text>{String(error)}</Text>;
}

function Shop(props: { segments: string[] }): ReactElement {
  useRouteScreens(props.segments);
  useRezMonitorDevTools();
  useRezMonitorRozenite();
  return (
    <ErrorBoundary fallback={(fallback) => <Fallback {...fallback} />}>
      <View>
        <TimeToDisplay name="Shop" />
        <MonitoredImage source={{ uri: 'https://cdn.shop.example/1.png' }} resizeMode="cover" style={{ width: 1 }} />
      </View>
    </ErrorBoundary>
  );
}

export const Root = withMonitor(withErrorBoundary(Shop, { fallback: null }));

export async function buy(ref: NavigationRef): Promise<Flushed[]> {
  registerNavigation(ref);
  const monitored: typeof fetch = wrapFetch(fetch);
  const span = startSpan('buy', 'shop');
  const call = trackAPICall('GET', 'https://api.shop.example/cart', span.trace);
  try {
    const { status } = await monitored('https://api.shop.example/cart');
    call.finish({ status });
  } catch (error) {
    call.fail(error);
    captureException(error, { severity: 'high', context: { cart: { items: 1 } } });
  }
  logEvent('purchase', { value: 1.5, currency: 'INR' });
  span.finish();
  const { destinations } = await flush();
  await close();
  return destinations;
}

export const entries: object[] = [problems, datadog, analytics, guide, mixpanel, sentry];

// @ts-expect-error a setting that does not exist
init({ app: 'shop', relaese: 'shop@1.0.0' });
// @ts-expect-error the root of an app is a component
withMonitor('Shop');
