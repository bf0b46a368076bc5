/** An app whose order fails. Prints what `@rez/monitor` records of the error. */
import { debugIds } from '../../../../react-native/src/bundle/debug-ids';
import { parseStack } from '../../../../react-native/src/errors/stack';

interface Item {
  readonly price?: { readonly amount: number };
}

function amountOf(item: Item): number {
  return item.price!.amount; // here
}

export function totalOfCart(items: Item[]): number {
  let sum = 0;
  for (const item of items) {
    sum += amountOf(item); // its caller
  }
  return sum;
}

try {
  totalOfCart([{ price: { amount: 3 } }, {}]);
} catch (error) {
  const { name, message, stack } = error as Error;
  console.log(JSON.stringify({ type: name, message, frames: parseStack(stack ?? '', message), ids: debugIds() }));
}
