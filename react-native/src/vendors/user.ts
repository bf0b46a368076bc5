/** The user, whom the vendors' packages name one member at a time. The engine has one, on the events of all destinations. */
import { setUser } from '../api/scope';
import { carrier } from '../core/carrier';
import { describe } from '../core/json';

/** The app knows who uses it. E-mail and name of the same user, or of one without an id, stay. */
export function identify(id: unknown): void {
  if (id == null) return;
  const text = describe(id);
  const known = carrier().user;
  const isSame = known?.id === undefined || known.id === text;
  setUser(isSame ? { ...known, id: text } : { id: text });
}
