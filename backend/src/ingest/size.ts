/** How large and how deep a value of JSON is, found without making its text. */
import type { Json } from './batch';
import { MAX_DEPTH } from './limits';

/** The size of what is nested too deep. */
export const TOO_DEEP = Number.POSITIVE_INFINITY;

/** The bytes of a value as JSON without spaces and escapes; {@link TOO_DEEP} if it is nested deeper than the limit. */
export function sizeOf(value: unknown, depth = 1): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 2;
  if (typeof value !== 'object' || value === null) return String(value).length;
  if (depth > MAX_DEPTH) return TOO_DEEP;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const one of value) bytes += sizeOf(one, depth + 1) + 1;
    return bytes;
  }
  for (const key in value) bytes += Buffer.byteLength(key) + 4 + sizeOf((value as Json)[key], depth + 1);
  return bytes;
}
