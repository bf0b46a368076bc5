/**
 * Screen loads, API calls and spans in progress.
 *
 * In other languages the engine measures them. JavaScript measures them itself, records one item at the end, and tells the engine only
 * of a beginning that other rows refer to.
 */
import type { Trace } from '../../src/core/items';
import { sentSpan } from './items';
import { type Call, text } from './vector';

const VERBS = [
  ...(['screen', 'initial_display', 'full_display', 'finish_screen', 'cancel_screen'] as const),
  ...(['api_call', 'finish_call', 'fail_call'] as const),
  ...(['span', 'span_attr', 'span_status', 'finish_span', 'drop_span'] as const),
];

export type GuardVerb = (typeof VERBS)[number];

/** What each verb of a guard does. */
export type Guards = Readonly<Record<GuardVerb, (call: Call) => unknown>>;

export const GUARD_VERBS: readonly string[] = VERBS;

export function isGuardVerb(verb: string): verb is GuardVerb {
  return GUARD_VERBS.includes(verb);
}

/** What is in progress, by the name that the vector gave it. */
export class Named<T> {
  private readonly all = new Map<string, T>();

  add(call: Call, one: T): void {
    this.all.set(text(call, 'as'), one);
  }

  get(call: Call): T {
    const one = this.all.get(text(call, 'of'));
    if (one === undefined) throw new Error(`nothing in progress is called \`${call.of}\``);
    return one;
  }

  take(call: Call): T {
    const one = this.get(call);
    this.all.delete(text(call, 'of'));
    return one;
  }

  /** The one that the call lies in. */
  around(call: Call): T | undefined {
    return call.in === undefined ? undefined : this.all.get(text(call, 'in'));
  }
}

/** The span that a call names as its parent: that of a server, or one of these. */
export function parentOf(call: Call, ...all: Named<{ trace: Trace }>[]): Trace | undefined {
  if (call.traceparent !== undefined) return sentSpan(text(call, 'traceparent'));
  const found = all.map((named) => named.around(call)).find((one) => one !== undefined);
  if (call.in !== undefined && found === undefined) throw new Error(`nothing in progress is called \`${call.in}\``);
  return found?.trace;
}
