/** A query without its values: names and operators stay, and each value becomes the name of its type. */
import { guarded } from '../../../react-native/src/core/guard';

/** Members of a command that say what is asked. Of documents that are inserted nothing is kept. */
const ASKED = [
  'filter',
  'query',
  'q',
  'pipeline',
  'updates',
  'update',
  'u',
  'deletes',
  'sort',
  'key',
  'projection',
  'fields',
];

const LIMITS = { depth: 8, members: 40, elements: 20, characters: 2_000 };

/** The shape of a command, as JSON: `{"filter":{"user":"objectId","total":{"$gt":"number"}}}`. Never throws. */
export function shapeOf(command: unknown): string {
  return guarded('{}', () => {
    const given = command as Record<string, unknown>;
    const kept: Record<string, unknown> = {};
    for (const name of ASKED) if (given[name] !== undefined) kept[name] = shape(given[name], 1);
    return JSON.stringify(kept).slice(0, LIMITS.characters);
  });
}

function shape(value: unknown, depth: number): unknown {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  if (Array.isArray(value)) return depth > LIMITS.depth ? 'array' : list(value, depth);
  const { _bsontype: type } = value as { _bsontype?: unknown };
  if (typeof type === 'string') return type.charAt(0).toLowerCase() + type.slice(1);
  if (value instanceof Date) return 'date';
  if (value instanceof RegExp) return 'regex';
  if (ArrayBuffer.isView(value)) return 'binary';
  if (depth > LIMITS.depth) return 'object';
  const entries: Iterable<[unknown, unknown]> = value instanceof Map ? value : Object.entries(value);
  const out: Record<string, unknown> = {};
  let left = LIMITS.members;
  for (const [name, one] of entries) {
    if (left-- === 0) break;
    out[String(name)] = shape(one, depth + 1);
  }
  return out;
}

/** A list of a thousand ids is one `objectId`. */
function list(values: readonly unknown[], depth: number): unknown[] {
  const seen = new Map<string, unknown>();
  for (const value of values.slice(0, LIMITS.elements)) {
    const one = shape(value, depth + 1);
    seen.set(JSON.stringify(one), one);
  }
  return [...seen.values()];
}
