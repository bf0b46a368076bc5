/** An error or a message as Sentry's `beforeSend` knows it, and back. */
import { carrier } from '../core/carrier';
import { defined, isRecord } from '../core/guard';
import type { Cause, ErrorItem, EventItem, Frame, User as ItemUser } from '../core/items';
import { describe, objectToJson } from '../core/json';
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
  /** The error, then its causes. */
  causes: Map<Exception, Cause | ErrorItem>;
  frames: Map<StackFrame, Frame>;
  /** The user that it shows, as JSON. */
  user: string;
}

export function viewOf(item: CapturedItem): View {
  const user = objectToJson(item.user ?? carrier().user ?? {});
  const view: View = { event: undefined as unknown as Event, causes: new Map(), frames: new Map(), user };
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
    // A copy: what the hook changes is changed for this event alone.
    user: user === '{}' ? undefined : sentryUser(JSON.parse(user) as ItemUser),
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

/** Both list the outermost frame first. */
function frames(list: Frame[] | undefined, view: View): StackFrame[] {
  return (list ?? []).map((frame) => {
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
}

/** The item as the hook has left its event. */
export function changedItem(item: CapturedItem, changed: Event, view: View): CapturedItem {
  const common = defined({
    level: levelOf(changed.level),
    tags: filled(changed.tags),
    attrs: filled(changed.extra),
    user: changedUser(item, changed.user, view),
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

/** A user that is not changed stays that of the item or of the scope. One that is removed is empty, so that the scope has no say. */
function changedUser(item: CapturedItem, user: unknown, view: View): ItemUser | undefined {
  const known = isRecord(user) ? itemUser(user) : {};
  return objectToJson(known) === view.user ? item.user : known;
}

function filled(map: unknown): Record<string, unknown> | undefined {
  return isRecord(map) && Object.keys(map).length > 0 ? map : undefined;
}

function changedExceptions(item: ErrorItem, values: unknown, view: View): Partial<ErrorItem> {
  const [first, ...others] = Array.isArray(values) ? (values as Exception[]).slice().reverse() : [];
  if (first === undefined) return { type: item.type ?? 'Error', message: '' };
  const known = [...view.causes.values()];
  const isWhole = others.length === known.length - 1;
  // A hook can return a copy of what it has seen: then the place says which one it is.
  const originalOf = (one: Exception, at: number) => view.causes.get(one) ?? (isWhole ? known[at] : undefined);
  const changes: Partial<ErrorItem> = changedException(first, originalOf(first, 0), view);
  if (first.mechanism && first.mechanism.handled !== (item.handled ?? true)) changes.handled = first.mechanism.handled;
  if (others.length === 0) return changes;
  // A parent names its place in the list, which is another one where causes were removed: they are a chain then.
  const causes = others.map((one, at): Cause => {
    const original = originalOf(one, at + 1);
    const { source = 'cause', parent = at, group } = (original ?? {}) as Partial<Cause>;
    const link = { source, parent: isWhole ? parent : at, ...(group !== undefined && { group }) };
    return { type: '', message: '', ...changedException(one, original, view), ...link };
  });
  return { ...changes, causes };
}

function changedException(exception: Exception, original: Cause | ErrorItem | undefined, view: View) {
  const members: { type?: string; message?: string; frames?: Frame[]; stack?: string } = {};
  const { stack, frames = [], type, message } = (original ?? {}) as Partial<ErrorItem>;
  const shown = exception.stacktrace?.frames;
  if (exception.type !== undefined) members.type = describe(exception.type);
  if (exception.value !== undefined) members.message = describe(exception.value);
  // The text begins with type and message, and the hook has not seen it.
  const isSame = exception.type === type && exception.value === message && exception.stacktrace !== undefined;
  if (stack !== undefined && isSame) members.stack = stack;
  if (Array.isArray(shown) && shown.length > 0) {
    const isWhole = shown.length === frames.length;
    members.frames = shown.map((frame, at) =>
      changedFrame(frame, view.frames.get(frame) ?? (isWhole ? frames[at] : undefined)),
    );
  }
  return members;
}

/** The frame of the item with what the hook has left of the members that it saw. */
function changedFrame(shown: StackFrame, original: Frame = {}): Frame {
  const { filename, lineno, colno } = shown;
  const seen = { function: shown.function, module: shown.module, in_app: shown.in_app };
  return defined({ ...original, ...seen, file: filename, line: lineno, column: colno }) as Frame;
}
