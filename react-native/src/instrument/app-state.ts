/** Hands over what waits when the app leaves the foreground. Sessions belong to the native layer, which sees it first. */
import { AppState } from 'react-native';
import { quietly } from '../core/guard';
import type { Source } from './source';

export const appState: Source = (client) => {
  if (typeof AppState?.addEventListener !== 'function') return 'app state: this platform has none';
  const subscription = AppState.addEventListener('change', (state) => {
    if (state === 'background') quietly(() => client().drain());
  });
  return () => subscription?.remove?.();
};
