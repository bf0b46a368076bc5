/**
 * Stands in for `@react-native-firebase/analytics`, in both its forms: `analytics().logEvent(..)` and `logEvent(getAnalytics(), ..)`.
 * `configure({ measurementId, key })` gives it the keys of GA4, which Firebase's own package reads from a file.
 */
export { configure, type Ga4Keys } from './collection';
export * from './modular';
export type { Analytics } from './module';
export { analytics as default } from './module';
