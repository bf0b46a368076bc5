import { ErrorBoundary, init, useRouteScreens, withMonitor } from '@rez/monitor';
import { useRezMonitorDevTools } from '@rez/monitor/devtools';
import { useRezMonitorRozenite } from '@rez/monitor/rozenite';
import { Slot, useSegments } from 'expo-router';
import { Text } from 'react-native';
import { settings } from '../settings';

init(settings);

function Layout() {
  useRouteScreens(useSegments());
  useRezMonitorDevTools();
  useRezMonitorRozenite();
  return (
    <ErrorBoundary fallback={<Text>Something is wrong.</Text>}>
      <Slot />
    </ErrorBoundary>
  );
}

export default withMonitor(Layout);
