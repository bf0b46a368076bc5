/** Turns a thrown value into the `error` item of a batch (`docs/guide/batch.md`). */
import type { Attributes, ErrorItem, EventCommon, Level, Severity } from '../core/items';
import { isObject, read, readText } from '../core/read';
import { causesOf, framesOf, innermost, isGroup } from './causes';
import { describe } from './describe';
import { cutText, encodedBytes, limits } from './limits';
import { afterMessage, parseStack } from './stack';

/** What the place that reports an error knows about it. Everything is passed on as it is, except the last two. */
export interface ReportOptions extends EventCommon {
  level?: Level;
  severity?: Severity;
  /** Whether the app caught it. Default of the engine: true. */
  handled?: boolean;
  /** What caught it: `generic`, `onerror`, `promise`. */
  mechanism?: string;
  /** Default: the member `code` of the error. */
  code?: string;
  fingerprint?: string | readonly string[];
  context?: Attributes;
  /** React's stack of components, from an error boundary. Default: the member `componentStack` of the error. */
  componentStack?: string;
  /** A stack to use if the thrown value has none: that of the call that reports. */
  stack?: string;
}

export interface ErrorReport extends ErrorItem {
  kind: 'error';
  type: string;
  message: string;
  language: 'javascript';
}

const PASSED = [
  'id',
  'at_ms',
  'level',
  'severity',
  'handled',
  'mechanism',
  'fingerprint',
  'attrs',
  'targets',
  'tags',
  'user',
  'trace',
  'context',
] as const satisfies readonly (keyof ReportOptions)[];

/**
 * The item for a thrown value, whatever it is: an error, a text, `undefined`, a proxy that refuses everything. Never throws.
 *
 * Type, message, code, stack and causes are read from the value and cut to 20 KiB of JSON together. What is no error has the type
 * `NonError`, or the name of its class; of a plain object the names of the members are told, never their values.
 */
export function errorItem(thrown: unknown, options: ReportOptions = {}): ErrorReport {
  try {
    return build(thrown, options);
  } catch {
    // No stack or memory was left.
    return {
      kind: 'error',
      type: 'NonError',
      message: 'A value that cannot be read was thrown.',
      language: 'javascript',
    };
  }
}

function build(thrown: unknown, options: ReportOptions): ErrorReport {
  const { type, message } = describe(thrown);
  const item: ErrorReport = {
    kind: 'error',
    type: cutText(type, limits.name),
    message: cutText(message, limits.message),
    language: 'javascript',
  };
  const code = codeOf(thrown, options);
  if (code !== '') item.code = cutText(code, limits.name);
  if (isGroup(thrown)) item.group = true;
  addStack(item, readText(thrown, 'stack') || readText(options, 'stack'), message, thrown);

  const components = readText(options, 'componentStack') || readText(thrown, 'componentStack');
  const componentFrames = parseStack(components);
  const context = components !== '' && componentFrames.length === 0 ? componentContext(components) : undefined;
  const room = limits.item - encodedBytes(item) - (context === undefined ? 0 : encodedBytes(context));
  const causes = causesOf(thrown, componentFrames, room);
  if (causes.length > 0) item.causes = causes;

  pass(options, item);
  if (context !== undefined) item.context = merged(item.context, context);
  return item;
}

/** Frames if the text has any, else the text. */
function addStack(item: ErrorReport, stack: string, message: string, thrown: unknown): void {
  const frames = innermost(framesOf(thrown, stack, message), limits.frames, limits.framesBytes);
  if (frames.length > 0) item.frames = frames;
  else if (isTelling(stack, message)) item.stack = cutText(stack, limits.stack);
}

/** Whether a stack says more than type and message: Hermes and V8 write these two where there are no frames. */
function isTelling(stack: string, message: string): boolean {
  const rest = stack.slice(afterMessage(stack, message)).trim();
  return rest !== '' && (message !== '' || rest.indexOf('\n') >= 0);
}

function codeOf(thrown: unknown, options: ReportOptions): string {
  const own = readText(options, 'code');
  if (own !== '' || !isObject(thrown)) return own;
  const code = read(thrown, 'code');
  if (typeof code === 'number') {
    // The number of a DOMException says less than its name.
    return read(thrown, 'DATA_CLONE_ERR') === undefined ? String(code) : '';
  }
  return typeof code === 'string' ? code : '';
}

/** The names are Sentry's. */
function componentContext(text: string): Attributes {
  return { react: { componentStack: cutText(text.trim(), limits.components) } };
}

function merged(given: Attributes | undefined, own: Attributes): Attributes {
  try {
    return { ...given, ...own };
  } catch {
    return own;
  }
}

function pass(options: ReportOptions, item: ErrorReport): void {
  const out = item as unknown as Record<string, unknown>;
  for (const name of PASSED) {
    const value = read(options, name);
    if (value !== undefined) out[name] = value;
  }
}
