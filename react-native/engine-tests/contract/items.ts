/** What each call of a vector becomes in a batch: one item (`docs/guide/batch.md`), as in `tests/src/contract/batch.rs`. */
import type { Client } from '../../src/core/client';
import type { BreadcrumbItem, EventItem, ScopeItem, Trace } from '../../src/core/items';
import { childSpan, fromTraceparent } from '../../src/core/trace';
import { type Call, text } from './vector';

type Members = Record<string, unknown>;
type Rule = (call: Call, client: Client) => Members;

/** Arguments that a row calls otherwise. */
const NAMES: Readonly<Record<string, string>> = {
  text: 'message',
  slow: 'slow_frames',
  frozen: 'frozen_frames',
  total: 'total_frames',
  started_ms: 'start_ms',
};

/** The item of each verb that is one. */
export const ITEMS: Readonly<Record<string, Rule>> = {
  error: event('error'),
  fatal: event('crash'),
  message: event('message'),
  // Those of these kinds take no destinations.
  metric: without('targets', event('metric')),
  feedback: without('targets', event('feedback')),
  people: without('targets', event('user_prop')),
  timing: (call, client) => event(text(call, 'kind'))(call, client),
  track: event('analytics'),
  screen_view: event('screen_view'),
  interaction: event('interaction'),
  frames: event('frames'),
  hang: event('hang'),
  app_exit: event('app_exit'),
  revenue: event('revenue'),
  log: event('log'),
  record_span: recordedSpan,
  start_view: (call, client) => ({ ...event('screen_view')(call, client), op: 'start' }),
  stop_view: (call, client) => ({ ...event('screen_view')(call, client), op: 'stop' }),

  breadcrumb: (call) => {
    const { at_ms, ...breadcrumb } = members(call);
    return { breadcrumb, ...(at_ms !== undefined && { at_ms }) };
  },

  user: without('clear', scope('user')),
  tag: scope('tag'),
  flag: scope('flag'),
  context: scope('context'),
  super: ({ once, ...call }, client) => scope(once === true ? 'super_once' : 'super')(call, client),
  unset_super: scope('super_unset'),
  clear_super: scope('super_clear'),
  time_event: scope('time_event'),
  view_timing: scope('view_timing'),
  view_attributes: scope('view_attrs'),
};

/** Records the item of a call. Returns the id of an event. */
export function record(client: Client, rule: Rule, call: Call, last: string): string | undefined {
  const item = rule(call, client);
  if (item.about === 'last') item.about = last;
  if (item.kind === 'crash') {
    const isRecorded = client.recordFatal(item as unknown as EventItem);
    if (isRecorded === (call.refused !== undefined)) throw new Error(`recordFatal returned ${isRecorded}`);
    return undefined;
  }
  if ('kind' in item) return client.record(item as unknown as EventItem);
  if ('breadcrumb' in item) {
    const { breadcrumb, at_ms } = item as unknown as BreadcrumbItem;
    client.breadcrumb(breadcrumb, at_ms);
  } else {
    client.scope(item as unknown as ScopeItem);
  }
  return undefined;
}

/** The span of a `traceparent` header. */
export function sentSpan(header: string): Trace {
  const sent = fromTraceparent(header);
  if (sent === undefined) throw new Error(`\`${header}\` is invalid`);
  return sent;
}

function members(call: Call): Members {
  const { do: _, refused: __, ...members } = call;
  return members;
}

function without(name: string, rule: Rule): Rule {
  return ({ [name]: _, ...call }, client) => rule(call, client);
}

function scope(change: string): Rule {
  return (call) => ({ ...members(call), scope: change });
}

function event(kind: string): Rule {
  return (call, client) => {
    const { traceparent, ...rest } = members(call);
    const item = Object.fromEntries(Object.entries(rest).map(([name, value]) => [NAMES[name] ?? name, value]));
    item.kind = kind;
    if (typeof traceparent === 'string') item.trace = childSpan(client.ids, sentSpan(traceparent));
    return item;
  };
}

/** A span that the app has measured, by its duration or between two times of which the second may be before the first. */
function recordedSpan({ ended_ms, ...call }: Call, client: Client): Members {
  const item = event('span')(call, client);
  if (typeof ended_ms !== 'number') return item;
  const duration = ended_ms - Number(call.started_ms);
  return { ...item, duration_us: duration * 1_000, ...(duration >= 0 && { at_ms: ended_ms }) };
}
