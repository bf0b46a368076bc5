/** Stacks and fingerprints as text, as the engine writes them for OTLP. */
import type { Json } from '../../batch';
import { parts, text } from './attributes';

/** The stack of an error: type and message, the frames, innermost first, then the causes. */
export function stack(fields: Json): string | undefined {
  const causes = parts(fields, 'causes');
  const own = ownStack(fields);
  if (own === undefined && causes.length === 0) return undefined;
  const caused = causes.map((cause) => `\nCaused by: ${ownStack(cause) ?? title(cause)}`);
  return (own ?? title(fields)) + caused.join('');
}

/** The stack of an error, a cause or a thread alone. */
export function ownStack(fields: Json): string | undefined {
  const frames = parts(fields, 'frames');
  if (frames.length === 0) return text(fields, 'stack');
  return title(fields) + frames.toReversed().map(frameLine).join('');
}

/** All threads as text. */
export function threadsText(fields: Json): string | undefined {
  const threads = parts(fields, 'threads').map(
    (thread) => `${text(thread, 'name') ?? 'thread'} (${Number(thread.id) || 0})${ownStack(thread) ?? ''}`,
  );
  return threads.length > 0 ? threads.join('\n\n') : undefined;
}

/** The parts of a fingerprint with `|` between them. The type of the error stands for `{{ default }}`. */
export function fingerprint(fields: Json): string | undefined {
  const given = fields.fingerprint;
  if (typeof given === 'string') return given;
  if (!Array.isArray(given)) return undefined;
  const all = given.map((one) => (one === '{{ default }}' ? (text(fields, 'type') ?? '') : one));
  return all.filter((one) => typeof one === 'string' && one !== '').join('|') || undefined;
}

function title(fields: Json): string {
  return [text(fields, 'type'), text(fields, 'message')].filter((one) => one !== undefined).join(': ');
}

function frameLine(frame: Json): string {
  const name = text(frame, 'function') ?? '<unknown>';
  const module = text(frame, 'module');
  const { file, line, column, address } = frame;
  const place = typeof file === 'string' ? [file, line, typeof line === 'number' ? column : undefined] : [];
  const known = place.filter((one) => typeof one === 'string' || typeof one === 'number').join(':');
  const at = known || (typeof address === 'number' ? `0x${address.toString(16)}` : '');
  return `\n    at ${module === undefined ? name : `${module}.${name}`}${at === '' ? '' : ` (${at})`}`;
}
