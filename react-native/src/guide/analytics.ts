/** `frontend/utils/analytics.ts` of the guide. All events go to Google Analytics alone. */
import { shared } from '../core/carrier';
import { read } from '../core/read';
import analytics from '../firebase-analytics';
import { isProduction } from './config';

interface CartItem {
  id: string;
  name: string;
  price: number;
}

class AnalyticsService {
  private readonly switched = () => shared('guide.analytics', () => ({ enabled: undefined as boolean | undefined }));

  private get enabled(): boolean {
    return this.switched().enabled ?? isProduction();
  }

  /** `screenClass` defaults to the name. */
  async logScreenView(screenName: string, screenClass?: string): Promise<void> {
    if (!this.enabled) return;
    await analytics().logScreenView({ screen_name: screenName, screen_class: screenClass || screenName });
  }

  async logEvent(eventName: string, params?: Record<string, unknown>): Promise<void> {
    if (!this.enabled) return;
    await analytics().logEvent(eventName, params);
  }

  async setUserProperty(name: string, value: string): Promise<void> {
    if (!this.enabled) return;
    await analytics().setUserProperty(name, value);
  }

  async setUserId(userId: string): Promise<void> {
    if (!this.enabled) return;
    await analytics().setUserId(userId);
  }

  async logPurchase(params: {
    transactionId: string;
    value: number;
    currency: string;
    items: unknown[];
  }): Promise<void> {
    if (!this.enabled) return;
    await analytics().logPurchase(params);
  }

  logAddToCart(item: CartItem): Promise<void> {
    return this.logEvent('add_to_cart', cart(item));
  }

  logRemoveFromCart(item: CartItem): Promise<void> {
    return this.logEvent('remove_from_cart', cart(item));
  }

  logBeginCheckout(value: number, items: unknown[]): Promise<void> {
    return this.logEvent('begin_checkout', { value, currency: 'INR', items });
  }

  logSearch(searchTerm: string): Promise<void> {
    return this.logEvent('search', { search_term: searchTerm });
  }

  logShare(contentType: string, itemId: string): Promise<void> {
    return this.logEvent('share', { content_type: contentType, item_id: itemId, method: 'share' });
  }

  logSignUp(method: string): Promise<void> {
    return this.logEvent('sign_up', { method });
  }

  logLogin(method: string): Promise<void> {
    return this.logEvent('login', { method });
  }

  logStoreView(storeId: string, storeName: string): Promise<void> {
    return this.logEvent('view_store', { store_id: storeId, store_name: storeName });
  }

  logProductView(productId: string, productName: string, price: number): Promise<void> {
    return this.logEvent('view_item', { items: [{ item_id: productId, item_name: productName, price }] });
  }

  logBillUpload(amount: number): Promise<void> {
    return this.logEvent('bill_upload', { amount });
  }

  logCashbackEarned(amount: number): Promise<void> {
    return this.logEvent('cashback_earned', { amount });
  }

  logReferralSent(): Promise<void> {
    return this.logEvent('referral_sent');
  }

  /** False: nothing is recorded here, and Google Analytics gets nothing of what is recorded elsewhere, also after a restart. */
  setEnabled(enabled: boolean): void {
    this.switched().enabled = enabled;
    void analytics().setAnalyticsCollectionEnabled(enabled);
  }
}

function cart(item: CartItem) {
  return { items: [item], value: read(item, 'price'), currency: 'INR' };
}

export const analyticsService = new AnalyticsService();
