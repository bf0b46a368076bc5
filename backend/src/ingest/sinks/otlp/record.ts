/** One event as log records of OTLP: its breadcrumbs, then itself. */
import type { Json } from '../../batch';
import type { Row } from '../../event';
import { readTime } from '../../time';
import { Attributes, part, parts, text } from './attributes';
import { contentOf, SEVERITIES } from './content';
import { details } from './details';

/** OTLP's `LogRecord`. */
export type LogRecord = Readonly<Record<string, unknown>>;

const CONDITIONS = {
  free_memory_bytes: 'app.device.memory.free',
  free_storage_bytes: 'app.device.storage.free',
  battery: 'app.device.battery.level',
  charging: 'app.device.battery.charging',
  low_power: 'app.device.low_power',
  orientation: 'app.device.orientation',
  metered: 'app.network.metered',
  foreground: 'app.foreground',
} as const;

const CONNECTIONS: Readonly<Record<string, string>> = {
  none: 'unavailable',
  cellular: 'cell',
  ethernet: 'wired',
  wifi: 'wifi',
};

const TECHNOLOGIES: Readonly<Record<string, string>> = { '4g': 'lte', '5g': 'nr' };

/** The records of a row. */
export function recordsOf(row: Row): LogRecord[] {
  const { fields, kind } = row;
  const crumbs = parts(fields, 'trail').map((crumb, index) => breadcrumb(row, crumb, index));
  const a = new Attributes();
  const left = details(a, kind, fields);
  conditions(a, part(fields, 'conditions'));
  a.text('log.record.uid', row.id);
  a.text('rez.event_id', row.id);
  a.text('rez.kind', kind);
  a.int('rez.seq', row.seq);
  a.text('rez.ts', row.ts);
  common(a, fields);
  // A member without a name of its own is not lost.
  for (const [member, value] of left) if (member !== 'trace' && member !== 'level') a.any(`rez.${member}`, value);
  a.app(fields.attrs);
  const { level, body, event } = contentOf(kind, fields);
  return [...crumbs, record(row, { level, body, event, ms: row.corrected_at.getTime() }, a)];
}

interface Head {
  readonly level: string;
  readonly body: string;
  readonly event: string;
  readonly ms: number;
}

function record(row: Row, { level, body, event, ms }: Head, { list }: Attributes): LogRecord {
  const [severityNumber, severityText] = SEVERITIES[level] ?? [9, 'INFO'];
  const trace = part(row.fields, 'trace');
  const ids = isId(trace.trace_id, 32) && isId(trace.span_id, 16);
  return {
    timeUnixNano: nanos(ms),
    severityNumber,
    severityText,
    body: { stringValue: body },
    attributes: list,
    ...(ids && { traceId: trace.trace_id, spanId: trace.span_id }),
    observedTimeUnixNano: nanos(row.received_at.getTime()),
    ...(event !== '' && { eventName: event }),
  };
}

/** A breadcrumb. Its id is derived from the event's, so that a repeated request has the same one. */
function breadcrumb(row: Row, crumb: Json, index: number): LogRecord {
  const a = new Attributes();
  a.text('log.record.uid', `${row.id}/${index}`);
  a.text('app.breadcrumb.of', row.id);
  a.text('app.breadcrumb.type', crumb.type);
  a.text('app.breadcrumb.category', crumb.category);
  a.any('app.breadcrumb.data', crumb.data);
  a.text('session.id', row.fields.session);
  // The clock of the device is as wrong for its breadcrumbs.
  const shift = row.corrected_at.getTime() - (readTime(row.ts) ?? 0);
  const ms = typeof crumb.ts === 'number' ? crumb.ts + shift : row.corrected_at.getTime();
  return record(row, { level: 'debug', body: text(crumb, 'message') ?? '', event: 'app.breadcrumb', ms }, a);
}

/** The attributes that events of every kind have. */
function common(a: Attributes, fields: Json): void {
  a.text('session.id', fields.session);
  const view = part(fields, 'view');
  a.text('app.screen.name', view.name);
  a.text('app.screen.id', view.id);
  const { id, email, username, anonymous, ...more } = part(fields, 'user');
  a.text('enduser.pseudo.id', anonymous);
  a.text('user.id', id);
  a.text('user.email', email);
  a.text('user.name', username);
  a.any('app.user', more);
  a.any('app.tags', fields.tags);
  a.any('app.contexts', fields.contexts);
  a.any('app.context', fields.context);
  a.int('app.cut', fields.cut);
}

function conditions(a: Attributes, now: Json): void {
  const connection = text(now, 'connection');
  const technology = text(now, 'carrier_technology');
  a.text('network.connection.type', connection && (CONNECTIONS[connection] ?? 'unknown'));
  a.text('network.connection.subtype', technology && (TECHNOLOGIES[technology] ?? technology));
  for (const [name, key] of Object.entries(CONDITIONS)) a.any(key, now[name]);
}

/** Whether a text is an id of W3C Trace Context: a receiver refuses a whole request for one that is not. */
function isId(value: unknown, digits: number): boolean {
  return typeof value === 'string' && value.length === digits && /^[0-9a-f]+$/.test(value) && !/^0+$/.test(value);
}

function nanos(ms: number): string {
  return ms > 0 ? `${Math.trunc(ms)}000000` : '0';
}
