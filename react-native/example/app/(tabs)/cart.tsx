import { useRouter } from 'expo-router';
import { StyleSheet, Text, View } from 'react-native';
import { useCart } from '../../src/cart';
import { beginCheckout, total } from '../../src/events';
import { rupees, text } from '../../src/theme';
import { Button, Card, Page } from '../../src/ui';

export default function Cart() {
  const router = useRouter();
  const lines = useCart();
  const pay = () => {
    beginCheckout(lines);
    router.navigate('/pay');
  };
  return (
    <Page>
      <Card>
        {lines.length === 0 && <Text style={text.body}>Nothing here yet.</Text>}
        {lines.map(({ product, quantity }) => (
          <View key={product.id} style={styles.line}>
            <Text style={text.body}>
              {quantity} × {product.name}
            </Text>
            <Text style={text.price}>{rupees(product.price * quantity)}</Text>
          </View>
        ))}
      </Card>
      <Button
        label={`Check out ${rupees(total(lines))}`}
        testID="check-out"
        disabled={lines.length === 0}
        onPress={pay}
      />
    </Page>
  );
}

const styles = StyleSheet.create({ line: { flexDirection: 'row', justifyContent: 'space-between' } });
