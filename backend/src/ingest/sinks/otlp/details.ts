/** The attributes of a kind, under the names that the engine uses for OTLP. */
import type { Json } from '../../batch';
import type { Kind } from '../../kinds';
import { type Attributes, part, parts, text } from './attributes';
import { fingerprint, stack, threadsText } from './stack';

type Type = 'text' | 'int' | 'float' | 'flag' | 'seconds' | 'any';

/** Member of an event, attribute, and how it is written. */
type Line = readonly [member: string, key: string, type: Type];

const ERROR: readonly Line[] = [
  ['type', 'exception.type', 'text'],
  ['message', 'exception.message', 'text'],
  ['severity', 'app.error.severity', 'text'],
  ['code', 'app.error.code', 'text'],
  ['mechanism', 'app.error.mechanism', 'text'],
  ['language', 'app.error.language', 'text'],
  ['collapsed_before', 'app.error.collapsed_before', 'int'],
  ['reports', 'app.crash.reports', 'any'],
];

const HTTP: readonly Line[] = [
  ['url', 'url.full', 'text'],
  ['response_bytes', 'http.response.body.size', 'int'],
];

const LINES: Partial<Record<Kind, readonly Line[]>> = {
  crash: ERROR,
  error: ERROR,
  hang: [
    ['duration_us', 'app.hang.duration', 'seconds'],
    ['language', 'app.error.language', 'text'],
  ],
  app_exit: [
    ['cause', 'app.exit.cause', 'text'],
    ['reports', 'app.crash.reports', 'any'],
  ],
  message: [['collapsed_before', 'app.message.collapsed_before', 'int']],
  alert: [
    ['severity', 'app.alert.severity', 'text'],
    ['description', 'app.alert.description', 'text'],
    ['collapsed_before', 'app.alert.collapsed_before', 'int'],
  ],
  analytics: [['duration_us', 'app.event.duration', 'seconds']],
  log: [['logger', 'app.logger.name', 'text']],
  feedback: [
    ['name', 'app.feedback.name', 'text'],
    ['email', 'app.feedback.email', 'text'],
    ['about', 'app.feedback.about', 'text'],
  ],
  interaction: [
    ['component', 'app.widget.id', 'text'],
    ['action', 'app.interaction.action', 'text'],
  ],
  screen_view: [
    ['name', 'app.screen.name', 'text'],
    ['class', 'app.screen.class', 'text'],
    ['key', 'app.screen.key', 'text'],
    ['duration_us', 'app.screen.duration', 'seconds'],
  ],
  session: [
    ['status', 'app.session.status', 'text'],
    ['errors', 'app.session.errors', 'int'],
  ],
  user_prop: [
    ['name', 'app.user.property.name', 'text'],
    ['value', 'app.user.property.value', 'any'],
  ],
  revenue: [
    ['amount', 'app.revenue.amount', 'float'],
    ['currency', 'app.revenue.currency', 'text'],
    ['transaction_id', 'app.revenue.transaction_id', 'text'],
    ['items', 'app.revenue.items', 'any'],
  ],
  api_call: [
    ['method', 'http.request.method', 'text'],
    ['endpoint', 'url.template', 'text'],
    ['request_bytes', 'http.request.body.size', 'int'],
    ['slow', 'app.slow', 'flag'],
    ...HTTP,
  ],
  image_load: [...HTTP, ['slow', 'app.slow', 'flag']],
  screen_load: [
    ['name', 'app.screen.name', 'text'],
    ['initial_us', 'app.screen.initial_display', 'seconds'],
    ['full_us', 'app.screen.full_display', 'seconds'],
    ['slow', 'app.slow', 'flag'],
  ],
  app_start: [['type', 'app.start.type', 'text']],
  long_task: [['name', 'app.long_task.name', 'text']],
  span: [['op', 'app.span.op', 'text']],
};

/** Members that stand elsewhere in a record. */
const ELSEWHERE = ['trail', 'conditions', 'session', 'view', 'user', 'tags', 'contexts', 'context', 'cut', 'attrs'];

/** Members of a stack, which become a text. */
const STACK = ['frames', 'stack', 'causes', 'threads', 'fingerprint', 'flags', 'handled'];

/** Writes the attributes of a kind. Returns the members of the event that are still to be written. */
export function details(a: Attributes, kind: Kind, fields: Json): ReadonlyMap<string, unknown> {
  const left = new Map(Object.entries(fields));
  for (const [member, key, type] of LINES[kind] ?? []) {
    a[type](key, fields[member]);
    left.delete(member);
  }
  if (kind === 'crash' || kind === 'error' || kind === 'hang') failure(a, kind, fields, left);
  if (kind === 'app_exit' || kind === 'screen_view') flags(a, fields, left);
  if (kind === 'screen_view') timings(a, fields);
  if (kind === 'session') {
    if (fields.init !== true) a.seconds('app.session.duration', fields.duration_us);
    left.delete('duration_us');
    left.delete('init');
  }
  if (kind === 'api_call') exchange(a, fields, left);
  for (const member of ELSEWHERE) left.delete(member);
  return left;
}

function failure(a: Attributes, kind: Kind, fields: Json, left: Map<string, unknown>): void {
  a.text('exception.stacktrace', stack(fields));
  const crashed = parts(fields, 'threads').find((thread) => thread.crashed === true);
  a.int('thread.id', crashed?.id);
  a.text('thread.name', crashed && text(crashed, 'name'));
  a.text('app.threads', threadsText(fields));
  flags(a, fields, left);
  if (kind !== 'hang') {
    a.flag('app.error.handled', fields.handled === true);
    a.text('app.error.fingerprint', fingerprint(fields));
    const { since_start_ms, since_screen_ms } = fields;
    if (typeof since_start_ms === 'number') a.float('app.crash.since_start', since_start_ms / 1000);
    if (typeof since_screen_ms === 'number') a.float('app.crash.since_screen', since_screen_ms / 1000);
    left.delete('since_start_ms');
    left.delete('since_screen_ms');
  }
  for (const member of STACK) left.delete(member);
}

/** What a call was answered: 0 stands for no answer. */
function exchange(a: Attributes, fields: Json, left: Map<string, unknown>): void {
  const status = typeof fields.status === 'number' ? fields.status : 0;
  if (status !== 0) a.int('http.response.status_code', status);
  if (fields.failed === true) {
    a.text('error.type', status >= 400 ? String(status) : (text(fields, 'error') ?? '_OTHER'));
  }
  headers(a, 'http.request.header.', part(fields, 'request_headers'));
  headers(a, 'http.response.header.', part(fields, 'response_headers'));
  for (const member of ['status', 'request_headers', 'response_headers']) left.delete(member);
}

/** The last values of the feature flags, by name. */
function flags(a: Attributes, fields: Json, left: Map<string, unknown>): void {
  const values = parts(fields, 'flags').map(({ flag, result }) => [String(flag), result] as const);
  a.any('app.feature_flags', Object.fromEntries(values));
  left.delete('flags');
}

/** The named times of the view, in seconds. */
function timings(a: Attributes, fields: Json): void {
  const times = Object.entries(part(part(fields, 'view'), 'timings'));
  const seconds = times.flatMap(([name, us]) => (typeof us === 'number' ? [[name, us / 1e6] as const] : []));
  a.any('app.screen.timings', Object.fromEntries(seconds));
}

/** One attribute for each header, a list: a header can have several values. */
function headers(a: Attributes, prefix: string, given: Json): void {
  for (const [name, value] of Object.entries(given)) a.any(prefix + name, [value]);
}
