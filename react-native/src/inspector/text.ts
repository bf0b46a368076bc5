/** Turns what stands in events into text that is safe to show: events hold what users and servers have written. */
import { guarded } from '../core/guard';
import { cut } from '../core/json';

/**
 * Control characters, line ends, characters without a width, and those that turn the order of the text around them. Joiners stay:
 * scripts and emoji need them.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;
/** The longest payload that is shown, in characters. A row has at most 64 KiB. */
const PAYLOAD = 64 * 1024;

/** One line of at most `most` characters. */
export function oneLine(text: string, most = 120): string {
  const short = text.length > most ? cut(text, most) : text;
  return short.replace(UNSEEN, '\u00b7');
}

/** Indented JSON in which every character is visible. */
export function pretty(value: unknown): string {
  const text = guarded('', () => JSON.stringify(value, null, 2) ?? '');
  const escaped = text.replace(UNSEEN, (unseen) =>
    unseen === '\n' ? unseen : `\\u${unseen.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return escaped.length > PAYLOAD ? cut(escaped, PAYLOAD) : escaped;
}

/** The time of day where the device is, with milliseconds. */
export function timeOfDay(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return '-';
  const two = (value: number) => String(value).padStart(2, '0');
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`;
}

/** Date and time, in UTC. */
export function instant(ms: number): string {
  return guarded('-', () => new Date(ms).toISOString());
}
