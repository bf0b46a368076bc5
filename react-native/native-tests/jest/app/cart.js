import { captureException, ErrorBoundary, logEvent, setUser, trackScreenLoad } from '@rez/monitor';
import { Text } from 'react-native';

export function signIn(id) {
  setUser({ id });
}

export async function pay(charge) {
  logEvent('begin_checkout', { value: 1499.5 });
  try {
    await charge();
  } catch (error) {
    return captureException(error, { tags: { step: 'charge' } });
  }
  return '';
}

export function openCart() {
  trackScreenLoad('Cart').finish();
}

export function Cart({ broken }) {
  const Items = () => {
    if (broken) throw new Error('no items');
    return <Text>items</Text>;
  };
  return (
    <ErrorBoundary fallback={<Text>sorry</Text>}>
      <Items />
    </ErrorBoundary>
  );
}
