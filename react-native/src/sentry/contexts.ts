/** Sentry's contexts and the members of an item that become them (`docs/guide/sentry.md`). */
import { isRecord } from '../core/guard';
import type { Attributes, EventItem, Level, Severity } from '../core/items';
import type { Contexts, SeverityLevel } from './types';

const SEVERITIES: readonly unknown[] = ['low', 'medium', 'high', 'critical'] satisfies Severity[];
const LEVELS: readonly unknown[] = ['debug', 'info', 'warning', 'error', 'fatal'] satisfies Level[];

interface Members {
  context?: Attributes;
  code?: string;
  severity?: Severity;
}

/** The contexts that are objects, and `extra` as one of them. Undefined if there is none. */
export function contextMaps(contexts: unknown, extra?: unknown): Record<string, Record<string, unknown>> | undefined {
  const objects = isRecord(contexts) ? Object.entries(contexts).filter(([, value]) => isRecord(value)) : [];
  const maps = Object.fromEntries(objects) as Record<string, Record<string, unknown>>;
  if (isRecord(extra)) maps.extra = { ...maps.extra, ...extra };
  return Object.keys(maps).length > 0 ? maps : undefined;
}

/**
 * The members of an error that become these contexts at Sentry. The context `error` with a code and a severity, alone, is the engine's
 * own: it says both for all destinations.
 */
export function fromContexts(contexts: unknown, extra?: unknown): Members {
  const context = contextMaps(contexts, extra);
  if (context === undefined) return {};
  const { code, severity, ...rest } = context.error ?? {};
  if (Object.keys(context).length > 1 || typeof code !== 'string' || !SEVERITIES.includes(severity)) return { context };
  const members: Members = { code, severity: severity as Severity };
  if (Object.keys(rest).length > 0) members.context = rest;
  return members;
}

/** The contexts that an item has at Sentry. */
export function toContexts(item: EventItem): Contexts {
  const { context, code, severity } = item as Members;
  if (code === undefined) return { ...(context as Contexts | undefined) };
  return { error: { ...context, code, severity: severity ?? 'medium' } };
}

/** A level of Sentry's. Undefined if it is none. */
export function levelOf(level: unknown): Level | undefined {
  if (level === 'log') return 'info';
  return LEVELS.includes(level) ? (level as Level) : undefined;
}

export function sentryLevel(level: Level | undefined): SeverityLevel | undefined {
  return level === 'trace' ? 'debug' : level;
}
