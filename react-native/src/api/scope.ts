/** What every later event carries: user, tags, contexts, feature flags, super properties. */
import { carrier, client } from '../core/carrier';
import { quietly } from '../core/guard';
import type { Attributes, User } from '../core/items';
import { describe } from '../core/json';
import { members } from './members';

/** Sets the user of every later event. Null: nobody, after a logout; nothing is erased (`forgetUser` erases). */
export function setUser(user: User | null): void {
  quietly(() => {
    const { id, email, username, extra } = members(user, 'id', 'email', 'username', 'extra');
    const known: User = {
      ...(id !== undefined && { id: describe(id) }),
      ...(email !== undefined && { email: describe(email) }),
      ...(username !== undefined && { username: describe(username) }),
      ...(extra && { extra }),
    };
    carrier().user = known;
    client().scope({ scope: 'user', ...known });
  });
}

/** Sets a tag; null removes it. */
export function setTag(name: string, value: string | number | boolean | null): void {
  client().scope({ scope: 'tag', name: describe(name), ...(value != null && { value: describe(value) }) });
}

/** Sets a context, an object that errors show; null removes it. */
export function setContext(name: string, value: Attributes | null): void {
  client().scope({ scope: 'context', name: describe(name), ...(value && { value }) });
}

/** A feature flag was evaluated. The last 100 are attached to errors and screens. */
export function setFlag(name: string, value: unknown): void {
  client().scope({ scope: 'flag', name: describe(name), value });
}

/** Attributes of every later analytics event, also after a restart, until they are removed. */
export const superProperties = {
  register: (attrs: Attributes): void => client().scope({ scope: 'super', attrs }),
  /** Those that are set already keep their value. */
  registerOnce: (attrs: Attributes): void => client().scope({ scope: 'super_once', attrs }),
  unregister: (name: string): void => client().scope({ scope: 'super_unset', name: describe(name) }),
  clear: (): void => client().scope({ scope: 'super_clear' }),
};
