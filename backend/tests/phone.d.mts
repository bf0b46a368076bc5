export interface Phone {
  getProduct(id: string): Promise<unknown>;
  putInCart(id: number, quantity: number): Promise<unknown>;
  pay(amount: number, fault: string): Promise<unknown>;
  flush(waitMs: number): Promise<{ error?: string }>;
  close(waitMs: number): Promise<void>;
}
export function openPhone(of: { addon: string; folder: string; endpoint: string; url: string }): Promise<Phone>;
