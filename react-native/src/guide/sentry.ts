/** `frontend/config/sentry.ts` of the guide. */
import { quietly, recordOf } from '../core/guard';
import * as Sentry from '../sentry';
import { guideConfig, isProduction, releaseOf } from './config';

const TARGETS = ['localhost', 'api.rezapp.com', /^\//];

/** Starts Sentry in production. `options` stand over those of `init` and of the guide. */
export function initSentry(options?: Sentry.Options): void {
  if (!isProduction()) {
    console.log('Sentry disabled in development');
    return;
  }
  quietly(() => {
    const { environment, version, sentry } = guideConfig();
    Sentry.init({
      environment,
      enableInExpoDevelopment: false,
      debug: false,
      tracesSampleRate: 1,
      tracingOrigins: TARGETS,
      release: version === undefined ? undefined : releaseOf(version),
      beforeSend(event) {
        if (event.request) delete event.request.cookies;
        return event;
      },
      integrations: [
        new Sentry.ReactNativeTracing({ routingInstrumentation: new Sentry.ReactNavigationInstrumentation() }),
      ],
      ...recordOf(sentry),
      ...recordOf(options),
    });
  });
}

/** The context is shown as `extra`. */
export function logError(error: Error, context?: Record<string, unknown>): void {
  Sentry.captureException(error, { contexts: { extra: context } });
}

export function logMessage(message: string, level: Sentry.SeverityLevel = 'info'): void {
  Sentry.captureMessage(message, level);
}

export function setUser(user: { id: string; email: string; username: string }): void {
  Sentry.setUser(user);
}

export function clearUser(): void {
  Sentry.setUser(null);
}

export function addBreadcrumb(breadcrumb: Sentry.Breadcrumb): void {
  Sentry.addBreadcrumb(breadcrumb);
}
