/** The shop's analytics events. Each has one function, so that its parameters are checked where it is sent. */
import { logEvent, trackRevenue } from '@rez/monitor';
import type { Product, Receipt } from './api';

export interface Line {
  product: Product;
  quantity: number;
}

const CURRENCY = 'INR';

export const total = (lines: readonly Line[]) =>
  lines.reduce((sum, { product, quantity }) => sum + product.price * quantity, 0);

const item = ({ product, quantity }: Line) => ({
  item_id: String(product.id),
  item_name: product.name,
  price: product.price,
  quantity,
});

const basket = (lines: readonly Line[]) => ({ value: total(lines), currency: CURRENCY, items: lines.map(item) });

export const viewItem = (product: Product) => logEvent('view_item', basket([{ product, quantity: 1 }]));
export const addToCart = (line: Line) => logEvent('add_to_cart', basket([line]));
export const beginCheckout = (lines: readonly Line[]) => logEvent('begin_checkout', basket(lines));

/** Google Analytics gets it as `purchase`, Mixpanel as `Purchase`. */
export const purchase = (receipt: Receipt, lines: readonly Line[]) =>
  trackRevenue(receipt.amount, {
    currency: receipt.currency,
    transactionId: receipt.transaction_id,
    items: lines.map(item),
  });
