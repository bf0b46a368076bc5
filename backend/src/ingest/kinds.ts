/** The kinds of the protocol, as the engine spells them. */
export const KINDS = [
  'crash',
  'error',
  'hang',
  'app_exit',
  'revenue',
  'feedback',
  'session',
  'screen_load',
  'app_start',
  'api_call',
  'image_load',
  'interaction',
  'screen_view',
  'analytics',
  'user_prop',
  'message',
  'metric',
  'frames',
  'long_task',
  'span',
  'log',
  'alert',
] as const;

/** The kind of an event. */
export type Kind = (typeof KINDS)[number];

const known: ReadonlySet<unknown> = new Set(KINDS);

export function isKind(value: unknown): value is Kind {
  return known.has(value);
}
