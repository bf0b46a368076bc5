import { ErrorBoundary, init, useRouteScreens, withMonitor } from '@rez/monitor';
import { Slot, useSegments } from 'expo-router';
import { Text } from 'react-native';
import { settings } from '../settings';

init(settings);

function Layout() {
  useRouteScreens(useSegments());
  return (
    <ErrorBoundary fallback={<Text>Something is wrong.</Text>}>
      <Slot />
    </ErrorBoundary>
  );
}

export default withMonitor(Layout);
