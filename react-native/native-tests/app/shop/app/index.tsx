import { addBreadcrumb, logEvent } from '@rez/monitor';
import { router } from 'expo-router';
import { Pressable, Text } from 'react-native';

export default function Home() {
  const open = () => {
    addBreadcrumb({ message: 'opens a product', category: 'shop' });
    logEvent('view_item', { item_id: '7' });
    router.push('/products/7');
  };
  return (
    <Pressable testID="open" onPress={open}>
      <Text>Products</Text>
    </Pressable>
  );
}
