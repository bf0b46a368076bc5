/** The six files of the monitoring guide, ready to import. `docs/guide/migrate-from-the-guide.md` has the few differences. */

export { onReport } from '../core/report';
export { analyticsService } from './analytics';
export { AppError, ErrorSeverity } from './app-error';
export { type GuideConfig, init, isProduction } from './config';
export { initDatadog } from './datadog';
export { handleError } from './errors';
export { mixpanelService } from './mixpanel';
export { handleNetworkError } from './network-error';
export { performanceMonitor } from './performance';
export { addBreadcrumb, clearUser, initSentry, logError, logMessage, setUser } from './sentry';
