/** The path of a layer of Express 4 as the app has written it: the layer keeps only the regular expression that was made of it. */

/** What is used of a layer of Express 4. */
export interface CompiledLayer {
  regexp: RegExp;
  keys?: readonly { name?: unknown }[];
}

/** What was made of the expression of a layer. */
interface Compiled {
  /** The same expression, which also tells where its groups are. */
  expression: RegExp;
  /** Whether all that varies is in groups. Otherwise a part of the path that is no parameter can be a value. */
  isFixed: boolean;
}

const known = new WeakMap<RegExp, Compiled>();

/** What a path that is no regular expression ends with after it was compiled. */
const END = '(?=\\/|$)';

/**
 * The part of `path` that a layer takes, with the names of its parameters in their places: in `/carts/carts` each segment can be the
 * parameter. Where the app has written an expression, or a path with character classes, it is the expression.
 */
export function writtenPath({ regexp, keys = [] }: CompiledLayer, path: string): string {
  const { expression, isFixed } = compiled(regexp);
  const found = isFixed ? expression.exec(path) : null;
  if (!found) return String(regexp);
  let template = '';
  let at = found.index;
  for (let group = 1; group < found.length; group++) {
    const [begin, end] = found.indices?.[group] ?? [0, 0];
    // A group that has taken nothing, or that is a part of the one before.
    if (begin === end || begin < at) continue;
    template += `${path.slice(at, begin)}:${String(keys[group - 1]?.name ?? 'id')}`;
    at = end;
  }
  template += path.slice(at, found.index + found[0].length);
  // Of `*` the slash is a part of the value.
  return template.startsWith('/') ? template : `/${template}`;
}

function compiled(regexp: RegExp): Compiled {
  const found = known.get(regexp);
  if (found) return found;
  const expression = new RegExp(regexp.source, `${regexp.flags.replace(/[dgy]/g, '')}d`);
  const made = { expression, isFixed: regexp.source.endsWith(END) && !varies(regexp.source) };
  known.set(regexp, made);
  return made;
}

/** Whether there is something outside of groups that stands for more than one text. */
function varies(source: string): boolean {
  let rest = source.replace(/\\[^a-z]/gi, '');
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replace(/\([^()]*\)/g, '');
  }
  return /[[.+{\\]/.test(rest);
}
