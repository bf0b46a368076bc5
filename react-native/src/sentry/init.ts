/** `init` of Sentry's package: opens the engine with the destination `sentry`, or adds it (`init` of `@rez/monitor`). */
import type { InitResult } from '../api/init';
import { client } from '../core/carrier';
import { isDevelopment } from '../core/development';
import { defined, guarded, isRecord } from '../core/guard';
import { describe } from '../core/json';
import { say } from '../core/say';
import { addTracingTargets } from '../core/targets';
import { unsupported, unsupportedOptions } from '../core/unsupported';
import { open } from '../vendors/open';
import { installHooks } from './hooks';
import { ReactNativeTracing, ReactNavigationInstrumentation } from './tracing';
import type { Options } from './types';

const TAKEN = [
  'dsn',
  'environment',
  'release',
  'dist',
  'debug',
  'enabled',
  'enableInExpoDevelopment',
  'tracesSampleRate',
  'tracingOrigins',
  'tracePropagationTargets',
  'integrations',
  'beforeSend',
  'beforeBreadcrumb',
];

/** Starts it. Never throws: what is off is in the result, and printed in debug builds. */
export function init(options: Options): InitResult {
  const failed: InitResult = { recording: client().opened, problems: ['Sentry.init: the options cannot be read'] };
  return guarded(failed, () => (isRecord(options) ? start(options) : failed));
}

function start(options: Options): InitResult {
  const { dsn, environment, release, dist, debug, tracesSampleRate } = options;
  if (options.enabled === false || (options.enableInExpoDevelopment === false && isDevelopment())) {
    say('Sentry.init: switched off by `enabled` or `enableInExpoDevelopment`');
    return { recording: client().opened, problems: [] };
  }
  unsupportedOptions('Sentry.init', options, TAKEN);
  const { targets, navigation } = integrationsOf(options);
  const traceTargets = addTracingTargets([
    ...listOf(options.tracingOrigins),
    ...listOf(options.tracePropagationTargets),
    ...targets,
  ]);
  // Before the engine is open: what has waited for it passes the hook as well.
  installHooks(options);
  const wasOpen = client().opened;
  const result = open('Sentry.init', {
    sentry: defined({ dsn, tracesSampleRate }),
    environment,
    release,
    dist,
    debug,
    traceTargets: traceTargets.length > 0 ? traceTargets : undefined,
    screens: navigation,
    breadcrumbNavigation: navigation,
  });
  if (wasOpen && release !== undefined)
    client().setRelease(describe(release), dist === undefined ? '' : describe(dist));
  return result;
}

/** What `integrations` adds: tracing targets, and true if navigation is switched on there. */
function integrationsOf({ integrations }: Options): { targets: unknown[]; navigation: true | undefined } {
  const targets: unknown[] = [];
  let navigation: true | undefined;
  for (const one of listOf(typeof integrations === 'function' ? integrations([]) : integrations)) {
    if (one instanceof ReactNavigationInstrumentation) navigation = true;
    else if (one instanceof ReactNativeTracing) {
      targets.push(...listOf(one.options.tracingOrigins), ...listOf(one.options.tracePropagationTargets));
      if (one.options.routingInstrumentation) navigation = true;
    } else
      unsupported(
        'Sentry.init({ integrations })',
        'only `ReactNativeTracing` and `ReactNavigationInstrumentation` have an effect',
      );
  }
  return { targets, navigation };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
