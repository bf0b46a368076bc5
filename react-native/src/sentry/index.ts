/**
 * Stands in for `@sentry/react-native`: an app that uses these names of it changes its import line. What each becomes is in
 * `docs/guide/faces.md`; errors and messages go to all destinations that take them.
 */
export { crashedLastRun } from '../api/crashes';
export { addBreadcrumb, captureException, captureMessage, setUser } from './capture';
export { init } from './init';
export { ReactNativeTracing, ReactNavigationInstrumentation, type TracingOptions } from './tracing';
export type {
  Breadcrumb,
  CaptureContext,
  Contexts,
  Event,
  EventHint,
  Exception,
  Integration,
  Options,
  SeverityLevel,
  StackFrame,
  User,
} from './types';
