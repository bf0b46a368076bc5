import { Tabs } from 'expo-router';
import { useCart } from '../../src/cart';
import { color } from '../../src/theme';

export default function TabLayout() {
  const inCart = useCart().reduce((sum, { quantity }) => sum + quantity, 0);
  const tab = (title: string, testID: string) => ({ title, tabBarButtonTestID: testID });
  return (
    <Tabs
      screenOptions={{
        headerStyle: { backgroundColor: color.card },
        tabBarActiveTintColor: color.accent,
        tabBarIconStyle: { display: 'none' },
        tabBarLabelPosition: 'beside-icon',
        tabBarLabelStyle: { fontSize: 13, marginLeft: 0 },
      }}
    >
      <Tabs.Screen name="index" options={tab('Shop', 'tab-shop')} />
      <Tabs.Screen name="cart" options={tab(inCart === 0 ? 'Cart' : `Cart (${inCart})`, 'tab-cart')} />
      <Tabs.Screen name="errors" options={tab('Errors', 'tab-errors')} />
      <Tabs.Screen name="inspector" options={{ ...tab('Inspector', 'tab-inspector'), tabBarLabel: 'Inspect' }} />
      <Tabs.Screen name="settings" options={tab('Settings', 'tab-settings')} />
    </Tabs>
  );
}
