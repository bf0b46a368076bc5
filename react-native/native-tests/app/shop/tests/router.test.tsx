import { act, fireEvent, screen } from 'expo-router/testing-library';
import { openShop } from './shop';

jest.spyOn(console, 'warn').mockReturnValue();

test('an app without the native module opens, navigates and records nothing', async () => {
  openShop();
  expect(screen.getByText('Products')).toBeTruthy();
  act(() => fireEvent.press(screen.getByTestId('open')));
  expect(screen.getPathname()).toBe('/products/7');
  expect(screen.getSegments()).toEqual(['products', '[id]']);
  fireEvent.press(screen.getByTestId('pay'));
  expect(screen.getByTestId('pay')).toBeTruthy();
  const { status } = require('@rez/monitor');
  expect(await status()).toBeUndefined();
});
