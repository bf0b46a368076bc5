// Opens the engine before anything renders.
import '../src/monitor';
import { useRouteScreens, withMonitor } from '@rez/monitor';
import { Stack, useSegments } from 'expo-router';
import { color } from '../src/theme';

/** A screen that is opened by its address has the shop behind it. */
export const unstable_settings = { initialRouteName: '(tabs)' };

function RootLayout() {
  useRouteScreens(useSegments());
  return (
    <Stack screenOptions={{ headerTintColor: color.text, headerStyle: { backgroundColor: color.card } }}>
      <Stack.Screen name="(tabs)" options={{ headerShown: false }} />
      <Stack.Screen name="product/[id]" options={{ title: 'Product' }} />
      <Stack.Screen name="pay" options={{ title: 'Pay' }} />
      <Stack.Screen name="slow" options={{ title: 'Slow screen' }} />
    </Stack>
  );
}

export default withMonitor(RootLayout);
