/** Which sources `init` installs, by their settings. */

import type { InstrumentationSettings } from '../api/settings';
import { carrier, client } from '../core/carrier';
import { appState } from './app-state';
import { consoleBreadcrumbs } from './console';
import { uncaughtErrors } from './errors';
import { fetchRequests } from './fetch';
import { longTasks } from './long-tasks';
import { rejections } from './rejections';
import type { Source } from './source';
import { xhrRequests } from './xhr';

/** The setting that switches a source off, and the source. Later ones may use what earlier ones have installed. */
const SOURCES: readonly (readonly [keyof InstrumentationSettings | undefined, string, Source])[] = [
  ['errors', 'uncaught errors', uncaughtErrors],
  ['rejections', 'promise rejections', rejections],
  ['network', 'XMLHttpRequest', xhrRequests],
  ['network', 'fetch', fetchRequests],
  ['longTasks', 'long tasks', longTasks],
  ['breadcrumbConsole', 'console', consoleBreadcrumbs],
  [undefined, 'app state', appState],
];

/** What is observed, and one sentence for each source that could not be. */
export interface Installed {
  on: string[];
  off: string[];
}

/** Installs the sources once; `close` undoes them. */
export function install(settings: InstrumentationSettings): Installed {
  const installed: Installed = { on: [], off: [] };
  for (const [setting, name, source] of SOURCES) {
    if (setting !== undefined && settings[setting] === false) continue;
    try {
      const undo = source(client);
      if (typeof undo === 'string') installed.off.push(undo);
      else {
        carrier().undo.push(undo);
        installed.on.push(name);
        if (setting === 'network') noteNetwork();
      }
    } catch {
      installed.off.push(`${name}: the platform refused it`);
    }
  }
  return installed;
}

function noteNetwork(): void {
  const state = carrier();
  state.recordsNetwork = true;
  state.undo.push(() => {
    state.recordsNetwork = false;
  });
}
