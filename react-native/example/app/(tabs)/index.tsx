import { MonitoredImage, markInteractive, useScreenLoad } from '@rez/monitor';
import { Link } from 'expo-router';
import { useEffect } from 'react';
import { FlatList, Pressable, StyleSheet, Text } from 'react-native';
import { API_URL, getProducts, type Product } from '../../src/api';
import { useAnswer } from '../../src/ask';
import { color, rupees, text } from '../../src/theme';

export default function Products() {
  const { data: products, error } = useAnswer('products', getProducts);
  const isReady = products !== undefined;
  // The route is a screen of its own. This one ends with the frame that shows the data.
  useScreenLoad('ProductList', isReady);
  useEffect(() => {
    if (isReady) markInteractive();
  }, [isReady]);
  if (error !== undefined) return <Text style={styles.message}>{error} Is the API running? node server.mjs</Text>;
  return (
    <FlatList
      style={styles.list}
      contentContainerStyle={styles.content}
      columnWrapperStyle={styles.row}
      numColumns={2}
      data={products ?? []}
      keyExtractor={({ id }) => String(id)}
      renderItem={({ item }) => <Tile product={item} />}
    />
  );
}

function Tile({ product }: { product: Product }) {
  return (
    <Link href={{ pathname: '/product/[id]', params: { id: product.id } }} asChild>
      <Pressable style={styles.tile} testID={`product-${product.id}`}>
        <MonitoredImage style={styles.image} source={{ uri: `${API_URL}${product.image}` }} />
        <Text style={text.body}>{product.name}</Text>
        <Text style={text.price}>{rupees(product.price)}</Text>
      </Pressable>
    </Link>
  );
}

const styles = StyleSheet.create({
  list: { backgroundColor: color.back },
  content: { padding: 12, gap: 12 },
  row: { gap: 12 },
  tile: {
    flex: 1,
    backgroundColor: color.card,
    borderColor: color.line,
    borderWidth: 1,
    borderRadius: 12,
    padding: 10,
    gap: 4,
  },
  image: { width: '100%', aspectRatio: 1.4, borderRadius: 8 },
  message: { padding: 20 },
});
