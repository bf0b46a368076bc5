/** The app as Expo Router builds it from the files of `app`. */
import { renderRouter } from 'expo-router/testing-library';

export function openShop(): void {
  renderRouter(
    {
      _layout: require('../app/_layout').default,
      index: require('../app/index').default,
      'products/[id]': require('../app/products/[id]').default,
    },
    { initialUrl: '/' },
  );
}
