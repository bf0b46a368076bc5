/** The profile of the user at Mixpanel: `people` and `trackRevenue` of `@rez/monitor`. */
import { people, trackRevenue } from '../api/analytics';
import { isRecord, quietly } from '../core/guard';

/** The one destination of this entry. */
export const MIXPANEL = { targets: ['mixpanel'] } as const;

/** Calls with one property or a map of them. */
function each(name: unknown, value: unknown, one: (name: string, value: unknown) => void): void {
  quietly(() => {
    if (isRecord(name)) for (const [key, member] of Object.entries(name)) one(key, member);
    else one(name as string, value);
  });
}

type Properties = Record<string, unknown>;

export class People {
  set(prop: string | Properties, to?: unknown): void {
    each(prop, to, (name, value) => people.set(name, value, MIXPANEL));
  }

  setOnce(prop: string | Properties, to?: unknown): void {
    each(prop, to, (name, value) => people.setOnce(name, value, MIXPANEL));
  }

  /** Sent at most once: Mixpanel counts an increment that is sent again. */
  increment(prop: string | Record<string, number>, by = 1): void {
    each(prop, by, (name, value) => people.increment(name, value as number, MIXPANEL));
  }

  /** A list is appended element by element. */
  append(name: string | Properties, value?: unknown): void {
    each(name, value, (key, member) => {
      for (const one of Array.isArray(member) ? member : [member]) people.append(key, one, MIXPANEL);
    });
  }

  union(name: string | Properties, value?: unknown): void {
    each(name, value, (key, member) => people.union(key, Array.isArray(member) ? member : [member], MIXPANEL));
  }

  remove(name: string | Properties, value?: unknown): void {
    each(name, value, (key, member) => people.remove(key, member, MIXPANEL));
  }

  unset(prop: string): void {
    quietly(() => people.unset(prop, MIXPANEL));
  }

  /** `trackRevenue`: a charge of the profile, and no event. */
  trackCharge(charge: number, properties?: Properties): void {
    quietly(() => trackRevenue(charge, { ...MIXPANEL, ...(isRecord(properties) && { attributes: properties }) }));
  }

  clearCharges(): void {
    people.unset('$transactions', MIXPANEL);
  }

  /** Deletes the profile at Mixpanel; `forgetUser` erases the device. */
  deleteUser(): void {
    people.delete(MIXPANEL);
  }
}
