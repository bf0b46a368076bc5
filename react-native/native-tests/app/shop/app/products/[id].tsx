import { captureException, useScreenLoad } from '@rez/monitor';
import * as Sentry from '@rez/monitor/sentry';
import { useLocalSearchParams } from 'expo-router';
import { Pressable, Text } from 'react-native';

export default function Product() {
  const { id } = useLocalSearchParams();
  useScreenLoad('Product', true);
  const pay = () => {
    captureException(new TypeError('the card is refused'), { context: { order: { product: String(id) } } });
    Sentry.addBreadcrumb({ message: 'paid', level: 'info' });
  };
  return (
    <Pressable testID="pay" onPress={pay}>
      <Text>Product {id}</Text>
    </Pressable>
  );
}
