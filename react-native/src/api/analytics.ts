/** Analytics events, screen views, interactions, revenue, the profile of the user. */
import { client } from '../core/carrier';
import { guarded, quietly } from '../core/guard';
import type { Attributes } from '../core/items';
import { describe } from '../core/json';
import { members } from './members';

/** Names of the destinations that receive an event. Default: all that take its kind. */
export interface Targets {
  targets?: readonly string[];
}

function targets(options: Targets | null | undefined) {
  return members(options, 'targets');
}

/** Records an analytics event. The name is sent as given. */
export function logEvent(name: string, attributes?: Attributes, options?: Targets): string {
  return guarded('', () => {
    return client().record({
      kind: 'analytics',
      name: describe(name),
      ...(attributes && { attrs: attributes }),
      ...targets(options),
    });
  });
}

/** The user sees a screen. */
export function logScreenView(
  name: string,
  options: Targets & { screenClass?: string; attributes?: Attributes } = {},
): string {
  return guarded('', () => {
    const { screenClass, attributes } = members(options, 'screenClass', 'attributes');
    return client().record({
      kind: 'screen_view',
      name: describe(name),
      ...(screenClass !== undefined && { class: describe(screenClass) }),
      ...(attributes && { attrs: attributes }),
      ...targets(options),
    });
  });
}

/** The user does something with a component: `tap`, `PayButton`. Never pass what the user typed. */
export function trackInteraction(
  action: string,
  component: string,
  attributes?: Attributes,
  options?: Targets,
): string {
  return guarded('', () => {
    return client().record({
      kind: 'interaction',
      action: describe(action),
      component: describe(component),
      ...(attributes && { attrs: attributes }),
      ...targets(options),
    });
  });
}

/** A purchase. `amount` is in whole units of the currency, an ISO 4217 code. */
export interface Revenue extends Targets {
  currency?: string;
  transactionId?: string;
  items?: unknown;
  attributes?: Attributes;
}

/** Records a purchase. */
export function trackRevenue(amount: number, options: Revenue = {}): string {
  return guarded('', () => {
    const { currency, transactionId, items, attributes } = members(
      options,
      'currency',
      'transactionId',
      'items',
      'attributes',
    );
    return client().record({
      kind: 'revenue',
      amount,
      ...(currency !== undefined && { currency: describe(currency) }),
      ...(transactionId !== undefined && { transaction_id: describe(transactionId) }),
      ...(items !== undefined && { items }),
      ...(attributes && { attrs: attributes }),
      ...targets(options),
    });
  });
}

/** Starts the time of an event: the next one of this name carries its duration. */
export function timeEvent(name: string): void {
  quietly(() => client().scope({ scope: 'time_event', name: describe(name) }));
}

function person(op: string, change: { name?: string; value?: unknown; by?: number }, options?: Targets): string {
  return guarded('', () => client().record({ kind: 'user_prop', op, ...change, ...targets(options) }));
}

/** The profile of the user. Increments are sent at most once. */
export const people = {
  set: (name: string, value: unknown, options?: Targets): string =>
    person('set', { name: describe(name), value }, options),
  setOnce: (name: string, value: unknown, options?: Targets): string =>
    person('set_once', { name: describe(name), value }, options),
  unset: (name: string, options?: Targets): string => person('unset', { name: describe(name) }, options),
  increment: (name: string, by = 1, options?: Targets): string =>
    person('increment', { name: describe(name), by }, options),
  append: (name: string, value: unknown, options?: Targets): string =>
    person('append', { name: describe(name), value }, options),
  union: (name: string, value: readonly unknown[], options?: Targets): string =>
    person('union', { name: describe(name), value }, options),
  remove: (name: string, value: unknown, options?: Targets): string =>
    person('remove', { name: describe(name), value }, options),
  /** Deletes the profile at the vendor. */
  delete: (options?: Targets): string => person('delete', {}, options),
};
