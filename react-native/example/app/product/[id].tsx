import { MonitoredImage, TimeToDisplay } from '@rez/monitor';
import { useLocalSearchParams, useRouter } from 'expo-router';
import { useEffect } from 'react';
import { StyleSheet, Text } from 'react-native';
import { API_URL, getProduct, type Product, putInCart } from '../../src/api';
import { useAnswer } from '../../src/ask';
import { cart } from '../../src/cart';
import { addToCart, viewItem } from '../../src/events';
import { rupees, text } from '../../src/theme';
import { Button, Page } from '../../src/ui';

export default function ProductScreen() {
  const { id } = useLocalSearchParams<{ id: string }>();
  const { data: product, error } = useAnswer(id, () => getProduct(id));
  return (
    <Page>
      <TimeToDisplay name="ProductDetail" ready={product !== undefined} />
      {error !== undefined && <Text style={text.body}>{error}</Text>}
      {product && <Detail product={product} />}
    </Page>
  );
}

function Detail({ product }: { product: Product }) {
  const router = useRouter();
  useEffect(() => {
    viewItem(product);
  }, [product]);
  const add = () => {
    addToCart(cart.add(product));
    // The cart on the device counts; the failed call is recorded by itself.
    putInCart(product.id, 1).catch(() => undefined);
    router.navigate('/cart');
  };
  return (
    <>
      <MonitoredImage style={styles.image} source={{ uri: `${API_URL}${product.image}` }} />
      <Text style={text.title}>{product.name}</Text>
      <Text style={text.price}>{rupees(product.price)}</Text>
      <Button label="Add to cart" testID="add-to-cart" onPress={add} />
    </>
  );
}

const styles = StyleSheet.create({ image: { width: '100%', aspectRatio: 1.2, borderRadius: 12 } });
