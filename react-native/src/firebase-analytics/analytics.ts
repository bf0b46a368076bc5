/** The calls of Firebase Analytics, and what each becomes in `@rez/monitor`. All events go to GA4 alone. */
import { people, logEvent as recordEvent, logScreenView as recordScreenView, trackRevenue } from '../api/analytics';
import { forgetUser, setConsent as setPurposeConsent } from '../api/delivery';
import { setUser } from '../api/scope';
import { client, shared } from '../core/carrier';
import { isRecord, quietly } from '../core/guard';
import { describe } from '../core/json';
import { unsupported } from '../core/unsupported';
import { identify } from '../vendors/user';
import { GA4, setCollection } from './collection';

/** An object type of any vendor's parameters. */
export type Params = object;

/** Runs it now; the promise only keeps the vendor's form, and is never rejected. */
function done(work: () => void): Promise<void> {
  quietly(work);
  return Promise.resolve();
}

const attributes = (params: unknown) => (isRecord(params) ? params : undefined);

/** `logEvent`, `logScreenView` for `screen_view`. The vendor's options are for web pages and have no effect. */
export function logEvent(name: string, params?: Params, _options?: object): Promise<void> {
  return done(() => {
    if (name === 'screen_view' && isRecord(params)) screenView(params);
    else recordEvent(name, attributes(params), GA4);
  });
}

export function logScreenView(params: Params): Promise<void> {
  return done(() => screenView(isRecord(params) ? params : {}));
}

function screenView(params: Record<string, unknown>): void {
  const { screen_name, screen_class, ...rest } = params;
  recordScreenView(describe(screen_name ?? screen_class ?? ''), {
    ...GA4,
    ...(screen_class != null && { screenClass: describe(screen_class) }),
    ...(Object.keys(rest).length > 0 && { attributes: rest }),
  });
}

/** `trackRevenue`: GA4 gets `purchase`. Without a number as `value` it is an event without revenue. */
export function logPurchase(params: Params): Promise<void> {
  return done(() => {
    const { value, currency, transaction_id, transactionId, items, ...rest } = isRecord(params) ? params : {};
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      recordEvent('purchase', attributes(params), GA4);
      return;
    }
    const id = transaction_id ?? transactionId;
    trackRevenue(value, {
      ...GA4,
      ...(currency != null && { currency: describe(currency) }),
      ...(id != null && { transactionId: describe(id) }),
      ...(items !== undefined && { items }),
      ...(Object.keys(rest).length > 0 && { attributes: rest }),
    });
  });
}

/** `setUser`: the user of all destinations. Null: nobody. */
export function setUserId(id: string | null): Promise<void> {
  return done(() => (id === null ? setUser(null) : identify(id)));
}

/** `people.set`; null: `people.unset`. */
export function setUserProperty(name: string, value: string | null): Promise<void> {
  return done(() => {
    if (value === null) people.unset(name, GA4);
    else people.set(name, value, GA4);
  });
}

export function setUserProperties(properties: { [name: string]: string | null }, _options?: object): Promise<void> {
  return done(() => {
    if (!isRecord(properties)) return;
    for (const [name, value] of Object.entries(properties)) void setUserProperty(name, value);
  });
}

/** `superProperties` for events of this entry. Null removes them. */
export function setDefaultEventParameters(params?: Params | null): Promise<void> {
  return done(() => {
    const names = shared('firebase.defaults', () => new Set<string>());
    if (isRecord(params)) {
      for (const name of Object.keys(params)) names.add(name);
      client().scope({ scope: 'super', attrs: params, ...GA4 });
      return;
    }
    for (const name of names) client().scope({ scope: 'super_unset', name });
    names.clear();
  });
}

/** `pauseDestination('ga4')`, `resumeDestination('ga4')`. */
export function setAnalyticsCollectionEnabled(enabled: boolean): Promise<void> {
  return done(() => setCollection(enabled));
}

/** `setConsent('analytics', ..)` by `analytics_storage`. Signals about advertising are not sent: nothing here serves it. */
export function setConsent(settings: { [signal: string]: unknown }): Promise<void> {
  return done(() => {
    const { analytics_storage: storage } = settings;
    if (storage === undefined) return;
    setPurposeConsent('analytics', storage === true || storage === 'granted' ? 'granted' : 'denied');
  });
}

/** `forgetUser`: for all destinations. */
export function resetAnalyticsData(): Promise<void> {
  return done(() => void forgetUser());
}

/** The setting `sessionBackgroundMs`, which is fixed when the engine is opened. */
export function setSessionTimeoutDuration(_ms?: number): Promise<void> {
  unsupported('analytics().setSessionTimeoutDuration()', 'pass `sessionBackgroundMs` to `init` instead');
  return Promise.resolve();
}

/** Only Firebase's own package makes one. */
export function getAppInstanceId(): Promise<string | null> {
  return Promise.resolve(null);
}

/** On every event at GA4; no call returns it. */
export function getSessionId(): Promise<number | null> {
  return Promise.resolve(null);
}
