/** The items of a batch document, as `docs/guide/batch.md` defines them. Names and units are those of the engine. */

/** A map of the app's own values. Values that JSON cannot hold are translated, see `json.ts`. */
export type Attributes = Readonly<Record<string, unknown>>;

export type Level = 'trace' | 'debug' | 'info' | 'warning' | 'error' | 'fatal';
export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type AlertSeverity = 'info' | 'warning' | 'error' | 'critical';

export type Language = 'javascript' | 'java' | 'native' | 'cocoa';

/** A user of the app. */
export interface User {
  id?: string;
  email?: string;
  username?: string;
  extra?: Attributes;
}

/** A span: ids of 32 and 16 lower-case hexadecimal digits. */
export interface Trace {
  trace_id: string;
  span_id: string;
  parent?: string;
  sampled?: boolean;
}

/** A stack frame. */
export interface Frame {
  function?: string;
  module?: string;
  file?: string;
  line?: number;
  column?: number;
  address?: string;
  in_app?: boolean;
  /** Where it differs from that of the stack. */
  language?: Language;
}

/** What may stand on every event. */
export interface EventCommon {
  /** The id of the event, a UUID of version 7; the client makes one if it is absent. */
  id?: string;
  /** When it happened, in milliseconds since 1970. For a timing: when it ended. */
  at_ms?: number;
  attrs?: Attributes;
  /** Names of the destinations that receive it; absent: all that accept its kind. */
  targets?: readonly string[];
  tags?: Readonly<Record<string, string>>;
  user?: User;
  trace?: Trace;
}

/** An exception behind another one. */
export interface Cause {
  type: string;
  message: string;
  frames?: Frame[];
  /** Which one it stands behind: 0 the error, n the n-th cause. */
  parent: number;
  /** The member of the parent in which it was found: `cause`, `errors[1]`, `suppressed[0]`. */
  source: string;
  /** Whether it is a group itself. */
  group?: boolean;
}

export interface ErrorItem extends EventCommon {
  kind: 'error' | 'crash';
  type?: string;
  message?: string;
  severity?: Severity;
  level?: Level;
  handled?: boolean;
  code?: string;
  mechanism?: string;
  fingerprint?: string | readonly string[];
  language?: Language;
  stack?: string;
  frames?: Frame[];
  causes?: Cause[];
  group?: boolean;
  threads?: Thread[];
  context?: Attributes;
  conditions?: Attributes;
}

/** A thread beside the one that failed. */
export interface Thread {
  id?: string | number;
  name?: string;
  crashed?: boolean;
  main?: boolean;
  frames?: Frame[];
}

/** An event. The members of each kind are in `docs/guide/batch.md`. */
export type EventItem =
  | ErrorItem
  | (EventCommon & { kind: 'message'; message: string; level?: Level; context?: Attributes })
  | (EventCommon & { kind: 'feedback'; message: string; name?: string; email?: string; about?: string })
  | (EventCommon & { kind: 'alert'; title: string; description?: string; severity?: AlertSeverity })
  | (EventCommon & { kind: 'app_exit'; cause: string; message?: string; conditions?: Attributes })
  | (EventCommon & { kind: 'analytics'; name: string })
  | (EventCommon & { kind: 'screen_view'; name: string; class?: string })
  | (EventCommon & { kind: 'screen_view'; op: 'start' | 'stop'; key: string; name?: string })
  | (EventCommon & { kind: 'interaction'; action: string; component: string })
  | (EventCommon & {
      kind: 'frames';
      name: string;
      slow_frames?: number;
      frozen_frames?: number;
      total_frames?: number;
    })
  | (EventCommon & { kind: 'revenue'; amount: number; currency?: string; transaction_id?: string; items?: unknown })
  | (EventCommon & { kind: 'log'; message: string; level?: Level; logger?: string })
  | (EventCommon & { kind: 'user_prop'; op: string; name?: string; value?: unknown; by?: number })
  | (EventCommon & {
      kind: 'metric';
      name: string;
      type: 'counter' | 'gauge' | 'distribution';
      value: number;
      unit?: string;
    })
  | TimingItem;

/** A measured duration in microseconds. */
export type TimingItem = EventCommon & { duration_us: number; start_ms?: number } & (
    | { kind: 'screen_load'; name: string; initial_us?: number; full_us?: number; view?: string }
    | { kind: 'app_start'; type: 'cold' | 'warm' }
    | {
        kind: 'api_call';
        url: string;
        method?: string;
        status?: number;
        request_bytes?: number;
        response_bytes?: number;
        error?: string;
        endpoint?: string;
        request_headers?: Readonly<Record<string, string>>;
        response_headers?: Readonly<Record<string, string>>;
      }
    | { kind: 'image_load'; url: string; response_bytes?: number }
    | { kind: 'long_task'; name: string }
    | { kind: 'span'; name: string; op?: string; status?: 'ok' | 'error' | 'cancelled' }
    | {
        kind: 'hang';
        message?: string;
        frames?: Frame[];
        threads?: Thread[];
        language?: Language;
        conditions?: Attributes;
      }
  );

export interface Breadcrumb {
  type?: string;
  category?: string;
  message?: string;
  level?: Level;
  data?: Attributes;
}

export interface BreadcrumbItem {
  breadcrumb: Breadcrumb;
  at_ms?: number;
}

/** A change of what later events carry. */
export type ScopeItem =
  | ({ scope: 'user' } & User)
  | { scope: 'tag'; name: string; value?: string }
  | { scope: 'context'; name: string; value?: Attributes }
  | { scope: 'flag'; name: string; value: unknown }
  | { scope: 'super' | 'super_once'; attrs: Attributes; targets?: readonly string[] }
  | { scope: 'super_unset'; name: string }
  | { scope: 'super_clear' }
  | { scope: 'time_event'; name: string }
  | { scope: 'view_attrs'; attrs: Attributes }
  | { scope: 'view_timing'; name: string }
  | { scope: 'screen'; name: string; view: string; trace?: Trace; at_ms?: number }
  | { scope: 'screen_cancelled'; view: string }
  | { scope: 'span' | 'span_ended'; trace: Trace };

export type Item = EventItem | BreadcrumbItem | ScopeItem;
