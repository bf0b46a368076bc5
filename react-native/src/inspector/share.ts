/** Hands text to another app. */
import { Share } from 'react-native';
import type { EventRow } from './client';

/** Characters. Android refuses a megabyte between two apps, and stores two bytes for each. */
const LONGEST = 256 * 1024;

/** Opens the dialog of the platform. Resolves to an empty text, or to why that is impossible. */
export async function share(text: string): Promise<string> {
  try {
    await Share.share({ message: text });
    return '';
  } catch {
    return 'Nothing was shared: the dialog was closed, or this platform has none. Select the text of an event to copy it.';
  }
}

/** One event per line, and how many fitted. */
export function ndjson(events: readonly EventRow[]): { text: string; count: number } {
  const lines: string[] = [];
  let length = 0;
  for (const event of events) {
    const line = JSON.stringify(event);
    length += line.length + 1;
    if (length > LONGEST) break;
    lines.push(line);
  }
  return { text: lines.join('\n'), count: lines.length };
}
