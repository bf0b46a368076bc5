/** The options of `@datadog/browser-rum` and `@datadog/browser-logs` that have an effect here. Rates are percent. */

export interface CommonOptions {
  clientToken?: string | undefined;
  /** Default `datadoghq.com`. */
  site?: string | undefined;
  service?: string | undefined;
  env?: string | undefined;
  version?: string | undefined;
  /** Percent of the sessions. */
  sessionSampleRate?: number | undefined;
  [option: string]: unknown;
}

export interface RumOptions extends CommonOptions {
  applicationId?: string | undefined;
  /** Has no effect: session replay is not recorded. */
  sessionReplaySampleRate?: number | undefined;
  trackUserInteractions?: boolean | undefined;
  trackResources?: boolean | undefined;
  trackLongTasks?: boolean | undefined;
  /** Inputs are never recorded. `allow` keeps the names of components that look like input. */
  defaultPrivacyLevel?: 'mask' | 'mask-user-input' | 'allow' | undefined;
}

export interface LogsOptions extends CommonOptions {
  /** Whether errors are sent to the logs as well. */
  forwardErrorsToLogs?: boolean | undefined;
}

export interface User {
  id?: string | undefined;
  email?: string | undefined;
  name?: string | undefined;
  [member: string]: unknown;
}
