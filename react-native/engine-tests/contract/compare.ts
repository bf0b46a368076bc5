/** Compares rows but for the ids that a face makes itself. */
import type { Rows, Vector } from './vector';

/** Ids that the engine counts: those of the installation, its runs, sessions and boots. */
const COUNTED = /^([1-4])\1{7}-0000-4000-8000-\d{12}$/;

/**
 * Rows without the ids of events, views, traces and spans: each is replaced by its order of appearance, so that what refers to what is
 * still compared. The checksums, which depend on them, are left out. An id that the vector itself names stays.
 */
export function withoutIds(rows: Rows, vector: Vector): unknown {
  return walked(rows, vector, []);
}

/** The ids that {@link withoutIds} replaces, in the order of their appearance. */
export function idsOf(rows: Rows, vector: Vector): string[] {
  const seen: string[] = [];
  walked(rows, vector, seen);
  return seen;
}

function walked(rows: Rows, vector: Vector, seen: string[]): unknown {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return isMadeByFace(value) ? `id ${place(value.replace(/-/g, ''), seen)}` : value;
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).filter(([name]) => name !== 'crc32');
    // The order of appearance must not depend on that of the members.
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(members.map(([name, member]) => [name, walk(member)]));
  };
  const isMadeByFace = (text: string) => isId(text) && !COUNTED.test(text) && !vector.text.includes(text);
  return walk(rows);
}

function isId(text: string): boolean {
  return [16, 32, 36].includes(text.length) && /^[0-9a-f-]+$/i.test(text);
}

function place(id: string, seen: string[]): number {
  const at = seen.indexOf(id);
  return at < 0 ? seen.push(id) - 1 : at;
}
