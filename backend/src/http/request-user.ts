/** Who asks: the user that the app's authentication has put on the request. */
import { guarded } from '../../../react-native/src/core/guard';
import { read } from '../../../react-native/src/core/read';
import { warnOnce } from '../core/logger';

/**
 * The user of a request: the `id` of `request.user`, else its `_id`. Nothing else of it is read. Never throws.
 *
 * Undefined: nobody is signed in, or the id is no text, no number and no object with a text of its own, as an `ObjectId` has.
 */
export function userOf(request: unknown): { id: string } | undefined {
  const user = read(request, 'user');
  if (isPromise(user)) {
    warnOnce(
      'request.user is a promise, which nobody waits for: rows and errors have no user. Put the user itself there.',
    );
    return undefined;
  }
  const id = idOf(read(user, 'id')) || idOf(read(user, '_id'));
  return id === '' ? undefined : { id };
}

function idOf(id: unknown): string {
  if (id === undefined || id === null || typeof id === 'function') return '';
  const text = guarded('', () => String(id));
  // What an object without a text of its own says: `[object Promise]`.
  return /^\[object \w+\]$/.test(text) ? '' : text;
}

/** A query of mongoose can be awaited too, and is no `Promise`. */
function isPromise(value: unknown): boolean {
  return typeof read(value, 'then') === 'function';
}
