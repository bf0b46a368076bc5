/** The shop's API. Each `fetch` is recorded by itself; `handleNetworkError` turns a failure into an error with a code. */
import { handleNetworkError } from '@rez/monitor/guide';

export const API_URL = process.env.EXPO_PUBLIC_API_URL ?? 'http://localhost:4000';

export interface Product {
  id: number;
  name: string;
  /** In rupees. */
  price: number;
  image: string;
}

export interface Receipt {
  transaction_id: string;
  amount: number;
  currency: string;
}

/** What the server is asked to do with a payment. */
export const FAULTS = ['none', 'slow', '503', 'timeout', 'declined'] as const;
export type Fault = (typeof FAULTS)[number];

const TIMEOUT_MS = 5_000;

export const getProducts = () => request<Product[]>('/products');
export const getProduct = (id: string) => request<Product>(`/products/${encodeURIComponent(id)}`);
export const putInCart = (id: number, quantity: number) => request('/cart', { id, quantity });
export const pay = (amount: number, fault: Fault) => request<Receipt>('/pay', { amount, fault });

async function request<T>(path: string, body?: object): Promise<T> {
  const { signal, done } = timeout();
  const response = await fetch(`${API_URL}${path}`, {
    signal,
    ...(body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
    .catch(handleNetworkError)
    .finally(done);
  const data = await response.json().catch(() => ({}));
  return response.ok ? data : handleNetworkError({ response: { status: response.status, data } });
}

function timeout() {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
  return { signal: controller.signal, done: () => clearTimeout(timer) };
}
