/** The calls of the contract vectors, as an app of the guide makes them. */
import type * as ours from '../src/guide';

/** What the six files export, and `@rez/monitor/guide` too. */
export type Guide = Omit<typeof ours, 'analyticsService' | 'mixpanelService' | 'init' | 'isProduction' | 'onReport'> & {
  analyticsService: Pick<typeof ours.analyticsService, keyof typeof ours.analyticsService>;
  mixpanelService: Pick<typeof ours.mixpanelService, keyof typeof ours.mixpanelService>;
};

const item = { id: 'p-1', name: 'Tea', price: 249.75 };
const named = (name: string, message: string) => Object.assign(new Error(message), { name });

/** Each vector of the guide that makes the call in the guide's own way. */
export const VECTORS: Record<string, (guide: Guide, advance: (ms: number) => void) => unknown> = {
  guide_log_error: ({ logError }) =>
    logError(named('TypeError', 'undefined is not a function'), { cart: 'c-17', items: 3 }),
  guide_log_message: ({ logMessage }) => logMessage('checkout opened'),
  guide_set_user: ({ setUser, logError }) => {
    setUser({ id: 'u-42', email: 'asha@example.com', username: 'asha' });
    logError(new Error('first'));
    setUser({ id: 'u-43' } as never);
    logError(new Error('second'));
  },
  guide_clear_user: ({ setUser, clearUser, logError }) => {
    setUser({ id: 'u-42', email: 'asha@example.com', username: 'asha' });
    clearUser();
    logError(new Error('after sign-out'));
  },
  guide_add_breadcrumb: async ({ addBreadcrumb, logError }, advance) => {
    const data = { from: 'Cart', to: 'Checkout' };
    addBreadcrumb({ type: 'navigation', category: 'navigation', message: 'to Checkout', data });
    await Promise.resolve();
    advance(250);
    const call = { duration: 321, status_code: 402, method: 'POST' };
    addBreadcrumb({ type: 'http', category: 'api', message: 'API call to /pay', level: 'info', data: call });
    await Promise.resolve();
    advance(10);
    logError(named('PaymentError', 'card declined'));
  },
  guide_handle_error: ({ handleError, AppError, ErrorSeverity }) =>
    handleError(
      new AppError('Payment processing failed', 'PAYMENT_ERROR', ErrorSeverity.CRITICAL, {
        order_id: 'RZ-1042',
        attempt: 2,
      }),
    ),
  guide_handle_network_error: ({ handleError, handleNetworkError }) => {
    try {
      handleNetworkError({ response: { status: 500, data: { message: 'upstream' } } });
    } catch (thrown) {
      handleError(thrown as Error);
    }
  },
  guide_log_screen_view: ({ analyticsService }) => analyticsService.logScreenView('Store', 'StoreScreen'),
  guide_log_event: ({ analyticsService }) =>
    analyticsService.logEvent('filter_used', { category: 'grocery', count: 3, nearby: true }),
  guide_set_user_id: async ({ analyticsService }) => {
    await analyticsService.setUserId('u-42');
    await analyticsService.logEvent('after_sign_in');
  },
  guide_log_purchase: ({ analyticsService }) =>
    analyticsService.logPurchase({
      transactionId: 'T-9001',
      value: 499.5,
      currency: 'INR',
      items: [{ ...item, quantity: 2 }],
    }),
  guide_log_add_to_cart: ({ analyticsService }) => analyticsService.logAddToCart(item),
  guide_log_remove_from_cart: ({ analyticsService }) => analyticsService.logRemoveFromCart(item),
  guide_log_begin_checkout: ({ analyticsService }) =>
    analyticsService.logBeginCheckout(348.75, [item, { id: 'p-2', name: 'Cup', price: 99 }]),
  guide_log_search: ({ analyticsService }) => analyticsService.logSearch('masala chai'),
  guide_log_share: ({ analyticsService }) => analyticsService.logShare('product', 'p-1'),
  guide_log_sign_up: ({ analyticsService }) => analyticsService.logSignUp('phone'),
  guide_log_login: ({ analyticsService }) => analyticsService.logLogin('otp'),
  guide_log_store_view: ({ analyticsService }) => analyticsService.logStoreView('s-7', 'Chai Point'),
  guide_log_product_view: ({ analyticsService }) => analyticsService.logProductView('p-1', 'Tea', 249.75),
  guide_log_bill_upload: ({ analyticsService }) => analyticsService.logBillUpload(1250),
  guide_log_cashback_earned: ({ analyticsService }) => analyticsService.logCashbackEarned(62.5),
  guide_log_referral_sent: ({ analyticsService }) => analyticsService.logReferralSent(),
  guide_initialize: () => undefined,
  guide_track: ({ mixpanelService }) => mixpanelService.track('Offer Opened', { offer_id: 'o-3', discount: 12.5 }),
  guide_identify: ({ mixpanelService }) => {
    mixpanelService.track('Before');
    mixpanelService.identify('u-42');
    mixpanelService.track('After');
  },
  guide_reset: ({ mixpanelService }) => {
    mixpanelService.identify('u-42');
    mixpanelService.track('Before');
    mixpanelService.reset();
    mixpanelService.track('After');
  },
  guide_track_revenue: ({ mixpanelService }) => mixpanelService.trackRevenue(99),
};

