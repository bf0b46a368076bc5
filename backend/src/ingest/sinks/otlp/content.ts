/** Level, text and name of a log record, by the kind of its event. */
import type { Json } from '../../batch';
import type { Kind } from '../../kinds';
import { text } from './attributes';

/** What stands at the head of a record. */
export interface Content {
  readonly level: string;
  readonly body: string;
  /** Empty: the record is no event. */
  readonly event: string;
}

/** Severity number and text of OpenTelemetry by our levels. */
export const SEVERITIES: Readonly<Record<string, readonly [number, string]>> = {
  trace: [1, 'TRACE'],
  debug: [5, 'DEBUG'],
  info: [9, 'INFO'],
  warning: [13, 'WARN'],
  error: [17, 'ERROR'],
  fatal: [21, 'FATAL'],
};

const ALERT_LEVELS: Readonly<Record<string, string>> = {
  info: 'info',
  warning: 'warning',
  error: 'error',
  critical: 'fatal',
};

const CLICKS = ['click', 'tap', 'press', 'long_press'];

/** The content of an event. */
export function contentOf(kind: Kind, fields: Json): Content {
  const of = (name: string) => text(fields, name) ?? '';
  const level = of('level') in SEVERITIES ? of('level') : undefined;
  const info = (body: string, event = body): Content => ({ level: 'info', body, event });
  switch (kind) {
    case 'crash':
      return { level: 'fatal', body: of('message'), event: 'app.crash' };
    case 'error':
      return { level: level ?? 'error', body: of('message'), event: 'exception' };
    case 'hang':
      return { level: 'error', body: of('message'), event: 'app.hang' };
    case 'app_exit':
      return { level: 'error', body: of('message'), event: 'app.exit' };
    case 'message':
    case 'log':
      return { level: level ?? 'info', body: of('message'), event: '' };
    case 'feedback':
      return info(of('message'), 'app.feedback');
    case 'alert':
      return { level: ALERT_LEVELS[of('severity')] ?? 'info', body: of('title'), event: 'app.alert' };
    case 'interaction': {
      const action = text(fields, 'action') ?? 'tap';
      const event = CLICKS.includes(action) ? 'app.widget.click' : 'app.interaction';
      return info(`${action} ${of('component')}`.trimEnd(), event);
    }
    case 'screen_view':
      return info(of('name'), of('op') === 'stop' ? 'app.screen.end' : 'app.screen.view');
    case 'session':
      return info(fields.init === true ? 'session.start' : 'session.end');
    case 'user_prop':
      if (of('op') === 'unset') return info(of('name'), 'app.user.unset');
      return of('op') === 'delete' ? info('app.user.delete') : info(of('name'), 'app.user.set');
    case 'revenue':
      return info('app.revenue');
    case 'analytics':
      return info(of('name'));
    case 'api_call': {
      const body = [text(fields, 'method') ?? 'GET', of('endpoint')].join(' ').trimEnd();
      return { level: fields.failed === true ? 'error' : 'info', body, event: 'rez.api_call' };
    }
    default:
      // The engine sends these as spans and metrics, which have no name as a log event.
      return { level: fields.failed === true ? 'error' : 'info', body: of('name') || kind, event: `rez.${kind}` };
  }
}
