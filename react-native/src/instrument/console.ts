/** Breadcrumbs of what the app prints. */

import { guarded, quietly } from '../core/guard';
import type { Level } from '../core/items';
import { describe } from '../core/json';
import { replace, type Source, type Undo } from './source';

const LEVELS: Record<string, Level> = { debug: 'debug', log: 'info', info: 'info', warn: 'warning', error: 'error' };

/** Characters of a line that are kept. */
const LONGEST = 512;

export const consoleBreadcrumbs: Source = (client) => {
  let inside = false;
  const undo: Undo[] = [];
  const target = console as unknown as Record<string, (...args: unknown[]) => void>;
  for (const [name, level] of Object.entries(LEVELS)) {
    if (typeof target[name] !== 'function') continue;
    undo.push(
      replace(
        target,
        name,
        (before, on) =>
          function (this: unknown, ...args: unknown[]) {
            // A line that we print ourselves, or that recording prints, leaves no breadcrumb.
            if (on() && !inside && !(typeof args[0] === 'string' && args[0].startsWith('[rez]'))) {
              inside = true;
              quietly(() => client().breadcrumb({ category: 'console', level, message: line(args) }));
              inside = false;
            }
            return before?.apply(this, args);
          },
      ),
    );
  }
  return () => {
    for (const one of undo.reverse()) one();
  };
};

/** A list says its length only: as a text it would join all its values, which takes long and shows what the app has. */
function word(arg: unknown): string {
  const isList = Array.isArray(arg) || (ArrayBuffer.isView(arg) && 'length' in arg);
  return isList ? `[array of ${(arg as ArrayLike<unknown>).length}]` : describe(arg);
}

function line(args: readonly unknown[]): string {
  let text = '';
  for (const arg of args) {
    if (text.length >= LONGEST) break;
    text += `${text === '' ? '' : ' '}${guarded('[unreadable]', () => word(arg)).slice(0, LONGEST)}`;
  }
  return text.slice(0, LONGEST);
}
