/** An error or a message as Sentry's `beforeSend` knows it, and back. */
import { defined, isRecord } from '../core/guard';
import type { Cause, ErrorItem, EventItem, Frame } from '../core/items';
import { describe } from '../core/json';
import { contextMaps, fromContexts, levelOf, sentryLevel, toContexts } from './contexts';
import type { Event, Exception, StackFrame } from './types';
import { itemUser, sentryUser } from './user';

type MessageItem = Extract<EventItem, { kind: 'message' }>;
export type CapturedItem = ErrorItem | MessageItem;

/** Whether `beforeSend` sees it. */
export function isCaptured(item: EventItem): item is CapturedItem {
  return item.kind === 'error' || item.kind === 'crash' || item.kind === 'message';
}

/** A view of an item: what Sentry's type shows, and where each part of it comes from. */
export interface View {
  event: Event;
  causes: Map<Exception, Cause | ErrorItem>;
  frames: Map<StackFrame, Frame>;
}

export function viewOf(item: CapturedItem): View {
  const view: View = { event: undefined as unknown as Event, causes: new Map(), frames: new Map() };
  const { fingerprint } = item as ErrorItem;
  view.event = defined({
    event_id: (item.id ?? '').replace(/-/g, ''),
    timestamp: (item.at_ms ?? Date.now()) / 1_000,
    platform: 'javascript',
    level: sentryLevel(item.level),
    message: item.kind === 'message' ? item.message : undefined,
    exception: item.kind === 'message' ? undefined : { values: exceptions(item, view) },
    request: { cookies: {}, headers: {} },
    contexts: toContexts(item),
    extra: { ...item.attrs },
    tags: { ...item.tags },
    user: item.user && sentryUser(item.user),
    fingerprint: typeof fingerprint === 'string' ? [fingerprint] : fingerprint && [...fingerprint],
  }) as Event;
  return view;
}

/** Sentry lists the causes first; the engine lists them after the error. */
function exceptions(item: ErrorItem, view: View): Exception[] {
  const all = [item, ...(item.causes ?? [])].map((one) => {
    const exception: Exception = { stacktrace: { frames: frames(one.frames, view) } };
    if (one.type !== undefined) exception.type = one.type;
    if (one.message !== undefined) exception.value = one.message;
    if (one === item) exception.mechanism = { type: item.mechanism ?? 'generic', handled: item.handled ?? true };
    view.causes.set(exception, one);
    return exception;
  });
  return all.reverse();
}

/** Sentry lists the outermost frame first; the engine lists the innermost first. */
function frames(list: Frame[] | undefined, view: View): StackFrame[] {
  const all = (list ?? []).map((frame) => {
    const { file, line, column, in_app, module } = frame;
    const shown = defined({
      function: frame.function,
      module,
      filename: file,
      lineno: line,
      colno: column,
      in_app,
    }) as StackFrame;
    view.frames.set(shown, frame);
    return shown;
  });
  return all.reverse();
}

/** The item as the hook has left its event. */
export function changedItem(item: CapturedItem, changed: Event, view: View): CapturedItem {
  const common = defined({
    level: levelOf(changed.level),
    tags: filled(changed.tags),
    attrs: filled(changed.extra),
    user: changed.user ? itemUser(changed.user) : undefined,
  });
  if (item.kind === 'message') {
    const { attrs, tags, user, level, context, ...kept } = item;
    const shown = defined({ context: contextMaps(changed.contexts) });
    return { ...kept, ...common, ...shown, message: describe(changed.message ?? '') } as CapturedItem;
  }
  const {
    attrs,
    tags,
    user,
    level,
    context,
    code,
    severity,
    fingerprint,
    type,
    message,
    frames,
    stack,
    causes,
    ...kept
  } = item;
  const parts = Array.isArray(changed.fingerprint) ? { fingerprint: changed.fingerprint } : {};
  const shown = { ...fromContexts(changed.contexts), ...changedExceptions(item, changed.exception?.values, view) };
  return { ...kept, ...common, ...parts, ...shown } as CapturedItem;
}

function filled(map: unknown): Record<string, unknown> | undefined {
  return isRecord(map) && Object.keys(map).length > 0 ? map : undefined;
}

function changedExceptions(item: ErrorItem, values: unknown, view: View): Partial<ErrorItem> {
  const [first, ...others] = Array.isArray(values) ? (values as Exception[]).slice().reverse() : [];
  if (first === undefined) return { type: item.type ?? 'Error', message: '' };
  const changes: Partial<ErrorItem> = changedException(first, view);
  if (first.mechanism && first.mechanism.handled !== (item.handled ?? true)) changes.handled = first.mechanism.handled;
  if (others.length === 0) return changes;
  // A parent names its place in the list, which is another one where causes were removed: they are a chain then.
  const isWhole = others.length === (item.causes?.length ?? 0);
  const causes = others.map((one, at): Cause => {
    const { source = 'cause', parent = at, group } = (view.causes.get(one) ?? {}) as Partial<Cause>;
    const link = { source, parent: isWhole ? parent : at, ...(group !== undefined && { group }) };
    return { type: '', message: '', ...changedException(one, view), ...link };
  });
  return { ...changes, causes };
}

function changedException(exception: Exception, view: View) {
  const members: { type?: string; message?: string; frames?: Frame[]; stack?: string } = {};
  const { stack } = (view.causes.get(exception) ?? {}) as Partial<ErrorItem>;
  const shown = exception.stacktrace?.frames;
  if (exception.type !== undefined) members.type = describe(exception.type);
  if (exception.value !== undefined) members.message = describe(exception.value);
  if (stack !== undefined && exception.stacktrace !== undefined) members.stack = stack;
  if (Array.isArray(shown) && shown.length > 0)
    members.frames = shown.map((frame) => changedFrame(frame, view)).reverse();
  return members;
}

function changedFrame(frame: StackFrame, view: View): Frame {
  const { module, filename, lineno, colno, in_app } = frame;
  const { address } = view.frames.get(frame) ?? {};
  const members = { function: frame.function, module, file: filename, line: lineno, column: colno, in_app, address };
  return defined(members) as Frame;
}
