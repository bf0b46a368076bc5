/** What every later event says about the bundle that runs: its debug ids, and the update of `expo-updates`. */
import type { AboutBundle } from '../core/client';
import { guarded } from '../core/guard';
import type { ScopeItem } from '../core/items';
import { debugIds, registered } from './debug-ids';
import { updateFacts } from './expo-updates';

/** For one engine, which knows nothing about the bundle yet. */
export function aboutBundle(): AboutBundle {
  let known = 0;
  const news = () =>
    guarded<ScopeItem[]>([], () => {
      const count = registered();
      if (count === known) return [];
      known = count;
      // The engine makes the images of an error from the context of this name.
      return [{ scope: 'context', name: 'debug_ids', value: debugIds() }];
    });
  const all = () => {
    known = 0;
    return [...news(), ...guarded([], update)];
  };
  return { all, news };
}

function update(): ScopeItem[] {
  const facts = updateFacts();
  if (facts === undefined) return [];
  const tags = Object.entries(facts.tags).map(([name, value]): ScopeItem => ({ scope: 'tag', name, value }));
  return [...tags, { scope: 'context', name: 'ota_updates', value: facts.context }];
}
