/** The elements of the platform as names, for tests whose subject is the engine. A list renders every row. */
import { createElement, type ReactNode } from 'react';

export const KeyboardAvoidingView = 'KeyboardAvoidingView';
export const Modal = 'Modal';
export const Pressable = 'Pressable';
export const ScrollView = 'ScrollView';
export const Text = 'Text';
export const TextInput = 'TextInput';
export const View = 'View';
export const Platform = { OS: 'android' };
export const StatusBar = {};
export const Share = { share: async () => ({}) };
export const AppState = { addEventListener: () => ({ remove: () => undefined }) };
export const TurboModuleRegistry = { get: () => null };
export const useColorScheme = () => 'light';

interface ListProps {
  data: object[];
  renderItem: (row: { item: object }) => ReactNode;
  onEndReached: () => void;
  ListEmptyComponent: ReactNode;
  ListFooterComponent: ReactNode;
}

/** A press on it reaches its end. */
export function FlatList({ data, renderItem, onEndReached, ListEmptyComponent, ListFooterComponent }: ListProps) {
  const rows = data.length > 0 ? data.map((item) => renderItem({ item })) : [ListEmptyComponent];
  const props: object = { testID: 'rows', onPress: onEndReached };
  return createElement('FlatList', props, ...rows, ListFooterComponent);
}
