/** The types of `@sentry/react-native` that an app names, as far as this entry fills them. */

export type SeverityLevel = 'fatal' | 'error' | 'warning' | 'log' | 'info' | 'debug';

/** Maps of the app by name. */
export type Contexts = Record<string, Record<string, unknown> | null | undefined>;

export interface Breadcrumb {
  type?: string | undefined;
  category?: string | undefined;
  message?: string | undefined;
  level?: SeverityLevel | undefined;
  data?: Record<string, unknown> | undefined;
  /** Seconds or milliseconds since 1970, an ISO text or a `Date`. Default: now. */
  timestamp?: number | string | Date | undefined;
}

/** Members other than the first three are recorded as `extra`. `ip_address` is not recorded. */
export interface User {
  id?: string | number | undefined;
  email?: string | undefined;
  username?: string | undefined;
  [member: string]: unknown;
}

export interface StackFrame {
  function?: string;
  module?: string;
  filename?: string;
  lineno?: number;
  colno?: number;
  in_app?: boolean;
}

export interface Exception {
  type?: string;
  value?: string;
  mechanism?: { type: string; handled: boolean };
  stacktrace?: { frames?: StackFrame[] };
}

/** What `beforeSend` sees of an error or a message. */
export interface Event {
  event_id: string;
  timestamp?: number;
  platform: string;
  level?: SeverityLevel;
  message?: string;
  /** Causes first, what was thrown last. */
  exception?: { values?: Exception[] };
  /** Cookies and headers are never recorded, so both are empty. */
  request?: { url?: string; cookies?: Record<string, string>; headers?: Record<string, string> };
  contexts?: Contexts;
  extra?: Record<string, unknown>;
  tags?: Record<string, string>;
  user?: User;
  fingerprint?: string[];
}

export interface EventHint {
  originalException?: unknown;
}

/** What stands on one error or message beside it. */
export interface CaptureContext {
  level?: SeverityLevel | undefined;
  contexts?: Contexts | undefined;
  tags?: Record<string, unknown> | undefined;
  user?: User | undefined;
  extra?: Record<string, unknown> | undefined;
  fingerprint?: readonly string[] | undefined;
}

/** Entries of `integrations`. An object of another vendor's package has no effect. */
export interface Integration {
  name: string;
}

export interface Options {
  dsn?: string | undefined;
  environment?: string | undefined;
  /** Sent as given. */
  release?: string | undefined;
  dist?: string | undefined;
  debug?: boolean | undefined;
  enabled?: boolean | undefined;
  /** False: nothing is recorded in development (`__DEV__`). */
  enableInExpoDevelopment?: boolean | undefined;
  /** Share of the traces whose transactions are sent, 0 to 1. */
  tracesSampleRate?: number | undefined;
  /** Requests that carry trace headers: hosts, which stand for those below them too, and regular expressions over the URL. */
  tracingOrigins?: readonly (string | RegExp)[] | undefined;
  tracePropagationTargets?: readonly (string | RegExp)[] | undefined;
  integrations?: readonly object[] | ((defaults: object[]) => readonly object[]) | undefined;
  /** Changes an error or a message before it is recorded; null drops it, for all destinations. */
  beforeSend?: ((event: Event, hint: EventHint) => Event | null | PromiseLike<Event | null>) | undefined;
  beforeBreadcrumb?: ((breadcrumb: Breadcrumb) => Breadcrumb | null) | undefined;
  [option: string]: unknown;
}
