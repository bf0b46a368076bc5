/** The functions of Firebase Analytics, the only form from version 26 of the vendor's package on. The first argument has no effect. */
import * as calls from './analytics';
import { EVENTS, type EventMethod } from './events';
import { type Analytics, analytics } from './module';

/** The one instance. */
export function getAnalytics(app?: unknown): Analytics {
  return analytics(app);
}

/** `getAnalytics`. The settings are those of Firebase's web package and have no effect. */
export function initializeAnalytics(app: unknown, _settings?: object): Analytics {
  return analytics(app);
}

/** Always true: GA4 is reached without Firebase's own package. */
export function isSupported(): Promise<boolean> {
  return Promise.resolve(true);
}

/** What the functions take as their first argument: what `getAnalytics` returns. */
type Instance = unknown;

const after =
  <A extends unknown[], R>(call: (...args: A) => R) =>
  (_analytics: Instance, ...args: A): R =>
    call(...args);

const event =
  (method: EventMethod) =>
  (_analytics: Instance, params?: calls.Params): Promise<void> =>
    calls.logEvent(EVENTS[method], params);

export const logEvent = after(calls.logEvent);
export const logScreenView = after(calls.logScreenView);
export const logPurchase = after(calls.logPurchase);
export const setUserId = after(calls.setUserId);
export const setUserProperty = after(calls.setUserProperty);
export const setUserProperties = after(calls.setUserProperties);
export const setDefaultEventParameters = after(calls.setDefaultEventParameters);
export const setAnalyticsCollectionEnabled = after(calls.setAnalyticsCollectionEnabled);
export const setConsent = after(calls.setConsent);
export const resetAnalyticsData = after(calls.resetAnalyticsData);
export const setSessionTimeoutDuration = after(calls.setSessionTimeoutDuration);
export const getAppInstanceId = after(calls.getAppInstanceId);
export const getSessionId = after(calls.getSessionId);

export const logAddPaymentInfo = event('logAddPaymentInfo');
export const logAddShippingInfo = event('logAddShippingInfo');
export const logAddToCart = event('logAddToCart');
export const logAddToWishlist = event('logAddToWishlist');
export const logAppOpen = event('logAppOpen');
export const logBeginCheckout = event('logBeginCheckout');
export const logCampaignDetails = event('logCampaignDetails');
export const logEarnVirtualCurrency = event('logEarnVirtualCurrency');
export const logGenerateLead = event('logGenerateLead');
export const logJoinGroup = event('logJoinGroup');
export const logLevelEnd = event('logLevelEnd');
export const logLevelStart = event('logLevelStart');
export const logLevelUp = event('logLevelUp');
export const logLogin = event('logLogin');
export const logPostScore = event('logPostScore');
export const logRefund = event('logRefund');
export const logRemoveFromCart = event('logRemoveFromCart');
export const logSearch = event('logSearch');
export const logSelectContent = event('logSelectContent');
export const logSelectItem = event('logSelectItem');
export const logSelectPromotion = event('logSelectPromotion');
export const logSetCheckoutOption = event('logSetCheckoutOption');
export const logShare = event('logShare');
export const logSignUp = event('logSignUp');
export const logSpendVirtualCurrency = event('logSpendVirtualCurrency');
export const logTutorialBegin = event('logTutorialBegin');
export const logTutorialComplete = event('logTutorialComplete');
export const logUnlockAchievement = event('logUnlockAchievement');
export const logViewCart = event('logViewCart');
export const logViewItem = event('logViewItem');
export const logViewItemList = event('logViewItemList');
export const logViewPromotion = event('logViewPromotion');
export const logViewSearchResults = event('logViewSearchResults');
