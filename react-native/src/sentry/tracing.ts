/** `ReactNativeTracing` and `ReactNavigationInstrumentation`: objects for `integrations` of `init`. */
import { isRecord } from '../core/guard';
import { isObject, read } from '../core/read';
import { type NavigationRef, registerNavigation } from '../navigation/react-navigation';
import type { Integration } from './types';

/** Switches screen loads and breadcrumbs of React Navigation on. */
export class ReactNavigationInstrumentation {
  readonly name = 'react-navigation-v5';
  private stop: (() => void) | undefined;

  /** `options` of Sentry's class have no counterpart. */
  constructor(readonly options: object = {}) {}

  /** `registerNavigation`: the ref of the `NavigationContainer`, or the container itself. */
  registerNavigationContainer(ref: unknown): void {
    const container = read(ref, 'current') ?? ref;
    this.stop?.();
    this.stop = isObject(container) ? registerNavigation(container as NavigationRef) : undefined;
  }
}

export interface TracingOptions {
  routingInstrumentation?: object | undefined;
  tracingOrigins?: readonly (string | RegExp)[] | undefined;
  tracePropagationTargets?: readonly (string | RegExp)[] | undefined;
  [option: string]: unknown;
}

/** Carries the options of tracing. */
export class ReactNativeTracing implements Integration {
  readonly name = 'ReactNativeTracing';
  readonly options: TracingOptions;

  constructor(options: TracingOptions = {}) {
    this.options = isRecord(options) ? options : {};
  }
}
