/**
 * REZ Monitor for React Native.
 *
 * `init` opens the engine; every other call records, asks or changes. No call throws, and each works, without effect, where the native
 * module is missing (Expo Go, jest, a web page).
 */
export {
  logEvent,
  logScreenView,
  people,
  type Revenue,
  timeEvent,
  trackInteraction,
  trackRevenue,
} from './api/analytics';
export {
  addBreadcrumb,
  type CaptureOptions,
  captureException,
  captureFeedback,
  captureMessage,
  type TimedBreadcrumb,
} from './api/capture';
export { crashedLastRun, lastCrash } from './api/crashes';
export {
  flush,
  forgetUser,
  pauseDestination,
  persist,
  removeDestination,
  resumeDestination,
  setConsent,
  setRelease,
  status,
  supportCode,
  takeLog,
  why,
} from './api/delivery';
export { addDestinations, close, type InitResult, init } from './api/init';
export { setContext, setFlag, setTag, setUser, superProperties } from './api/scope';
export type { Config, Destination, Destinations } from './api/settings';
export {
  ApiCall,
  type ApiResult,
  ScreenLoad,
  Span,
  startSpan,
  trackAPICall,
  trackImageLoad,
  trackScreenLoad,
} from './api/timing';
export type { Consent, EventHint, Flushed, FlushResult, LastCrash, LogLine, Purpose } from './core/client';
export type { Attributes, Breadcrumb, EventItem, Level, Severity, Trace, User } from './core/items';
export { fromTraceparent } from './core/trace';
export { unsupportedFeatures } from './core/unsupported';
export { FeedbackForm, type FeedbackFormProps } from './feedback/feedback-form';
export { showFeedback } from './feedback/show';
export type { FeedbackOptions, FeedbackTexts } from './feedback/texts';
export { RezInspector, type RezInspectorProps } from './inspector/inspector';
export { type InspectorOptions, startInspector, stopInspector } from './inspector/start';
export { wrapFetch } from './instrument/fetch';
export { useRouteScreens } from './navigation/expo-router';
export { type NavigationRef, registerNavigation } from './navigation/react-navigation';
export { ErrorBoundary, type ErrorBoundaryProps, type FallbackProps, withErrorBoundary } from './react/error-boundary';
export { MonitoredImage } from './react/monitored-image';
export { TimeToDisplay, useScreenLoad } from './react/screen-load';
export { markInteractive, withMonitor } from './react/with-monitor';
