/** Whether this build may show the queue: what a user has done stands in it. */
import { shared } from '../core/carrier';
import { isDevelopment } from '../core/development';
import { sayAlways } from '../core/say';

const known = () => shared('inspector', () => ({ allowed: undefined as boolean | undefined }));

/** What `init` says for the whole app. */
export function allowInspector(allowed: boolean): void {
  known().allowed = allowed;
}

/** The word of the caller, else that of `init`, else whether this is a debug build. */
export function isInspectorAllowed(enabled: unknown): boolean {
  if (typeof enabled === 'boolean') return enabled;
  return known().allowed ?? isDevelopment();
}

/** Tells the developer why nothing is shown. */
export function sayNotAllowed(enabled: unknown): void {
  if (enabled === false) sayAlways('the inspector shows nothing: the call or the component says `enabled: false`');
  else if (known().allowed === false) sayAlways('the inspector shows nothing: `init` says `inspector: false`');
  else sayAlways('the inspector shows nothing in a release build; pass `inspector: true` to `init`');
}
