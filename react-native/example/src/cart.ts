/** The cart: a list outside of React, so that every screen sees the same one. */
import { useSyncExternalStore } from 'react';
import type { Product } from './api';
import type { Line } from './events';

let lines: readonly Line[] = [];
const listeners = new Set<() => void>();

function replace(next: readonly Line[]) {
  lines = next;
  for (const listener of listeners) listener();
}

export const cart = {
  add(product: Product): Line {
    const quantity = 1 + (lines.find((line) => line.product.id === product.id)?.quantity ?? 0);
    replace([...lines.filter((line) => line.product.id !== product.id), { product, quantity }]);
    return { product, quantity: 1 };
  },
  clear: () => replace([]),
};

export function useCart(): readonly Line[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => lines,
    () => lines,
  );
}
