/** Sentry's user and the engine's: members that are not known by name are `extra`. */
import { recordOf } from '../core/guard';
import type { User as ItemUser } from '../core/items';
import { describe } from '../core/json';
import type { User } from './types';

export function itemUser(user: User): ItemUser {
  const { id, email, username, ip_address, ...extra } = recordOf(user);
  return {
    ...(id != null && { id: describe(id) }),
    ...(email != null && { email: describe(email) }),
    ...(username != null && { username: describe(username) }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
}

export function sentryUser({ extra, ...named }: ItemUser): User {
  return { ...extra, ...named };
}
