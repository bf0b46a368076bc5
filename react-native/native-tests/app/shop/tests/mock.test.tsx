import { recorded } from '@rez/monitor/jest';
import { act, fireEvent, screen } from 'expo-router/testing-library';
import { openShop } from './shop';

jest.mock('@rez/monitor', () => require('@rez/monitor/jest'));

test('with the mock of the package, a test of the app reads what the app records', () => {
  openShop();
  act(() => fireEvent.press(screen.getByTestId('open')));
  fireEvent.press(screen.getByTestId('pay'));
  expect(recorded('analytics')).toEqual([expect.objectContaining({ name: 'view_item' })]);
  expect(recorded('error')).toEqual([expect.objectContaining({ message: 'the card is refused' })]);
});
