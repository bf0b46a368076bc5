/** The hooks of the app, which change or drop what is recorded. What they do wrong costs an item, and nobody else would notice. */
import { isRecord } from '../../../react-native/src/core/guard';
import { read } from '../../../react-native/src/core/read';
import { warnOnce } from '../core/logger';
import { errorKind } from '../core/span';

/** The same hook, which also says once what it does wrong. Undefined: there is none, or it is no function. */
export function checkedHook<H extends (...values: never[]) => unknown>(
  name: string,
  hook: H | undefined,
): H | undefined {
  if (hook === undefined) return undefined;
  if (typeof hook !== 'function') {
    warnOnce(`initSentry: ${name} is not a function; it is ignored`);
    return undefined;
  }
  const dropped = (what: string) => warnOnce(`initSentry: ${name} ${what}: what it gets is dropped`);
  const checked = (...values: never[]): unknown => {
    try {
      const kept = hook(...values);
      if (typeof read(kept, 'then') === 'function') dropped('must not be async');
      else if (kept != null && !isRecord(kept)) dropped('has returned neither an item nor null');
      return kept;
    } catch (error) {
      dropped(`has thrown ${errorKind(error)}`);
      throw error;
    }
  };
  return checked as H;
}
