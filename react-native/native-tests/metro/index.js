import { captureException, init } from '@rez/monitor';
import { registerRootComponent } from 'expo';
import { Text } from 'react-native';

init({ consent: { monitoring: 'granted', analytics: 'granted' } });

registerRootComponent(function Shop() {
  return <Text onPress={() => captureException(new Error('pay'))}>Pay</Text>;
});
