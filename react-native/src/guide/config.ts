/** The keys of the guide's six files. An Expo app cannot read `EXPO_PUBLIC_*` inside a package, so the app passes them. */
import { shared } from '../core/carrier';
import { isDevelopment } from '../core/development';
import { guarded, quietly } from '../core/guard';
import type { LogsOptions, RumOptions } from '../datadog';
import { configure, type Ga4Keys } from '../firebase-analytics/collection';
import type { Options } from '../sentry';

export interface GuideConfig {
  /** Whether Sentry and analytics record. Default: not in development (`__DEV__`). */
  isProduction?: boolean | (() => boolean) | undefined;
  /** `EXPO_PUBLIC_ENVIRONMENT`, for Sentry and Datadog. */
  environment?: string | undefined;
  /** `EXPO_PUBLIC_APP_VERSION`: Sentry's release is `rezapp-mobile@<version>`. */
  version?: string | undefined;
  /** Options over those of the guide: `dsn`, `tracingOrigins`, `beforeSend` .. */
  sentry?: Options | undefined;
  /** Options over those of the guide: `applicationId`, `clientToken` .. */
  datadog?: (RumOptions & LogsOptions) | undefined;
  mixpanel?: { token?: string | undefined } | undefined;
  /** Used in production only. */
  ga4?: Ga4Keys | undefined;
}

const known = () => shared('guide', () => ({ config: {} as GuideConfig }));

/** The keys that `init` was given. */
export function guideConfig(): GuideConfig {
  return known().config;
}

/** Keeps the keys for `initSentry`, `initDatadog` and `mixpanelService.initialize`, and starts Google Analytics in production. */
export function init(config: GuideConfig): void {
  quietly(() => {
    if (typeof config !== 'object' || config === null) return;
    known().config = config;
    const { ga4, environment, version } = config;
    if (!ga4 || !isProduction()) return;
    configure({
      ...(environment !== undefined && { environment }),
      ...(version !== undefined && { release: releaseOf(version) }),
      ...ga4,
    });
  });
}

export function isProduction(): boolean {
  return guarded(false, () => {
    const { isProduction: given } = known().config;
    return typeof given === 'function' ? given() === true : (given ?? !isDevelopment());
  });
}

/** The guide's name of a release. */
export function releaseOf(version: string): string {
  return `rezapp-mobile@${version}`;
}
