/** Attributes of OTLP's JSON: names with values of any type, each name once. */
import { isObject, type Json } from '../../batch';

/** OTLP's `AnyValue`. */
export type AnyValue = Readonly<Record<string, unknown>>;

/** OTLP's `KeyValue`. */
export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/** Attributes that any record can have: an attribute of the app with one of these names gets a prefix. */
const STAMPED: ReadonlySet<string> = new Set([
  'log.record.uid',
  'session.id',
  'app.screen.name',
  'app.screen.id',
  'enduser.pseudo.id',
  'user.id',
  'user.email',
  'user.name',
  'exception.type',
  'exception.message',
]);

/** Collects attributes. A value that is missing, empty or of another type is left out; the first of two with one name stays. */
export class Attributes {
  readonly list: KeyValue[] = [];
  private readonly names = new Set<string>();

  text(key: string, value: unknown): void {
    if (typeof value === 'string' && value !== '') this.add(key, { stringValue: value });
  }

  flag(key: string, value: unknown): void {
    if (typeof value === 'boolean') this.add(key, { boolValue: value });
  }

  int(key: string, value: unknown): void {
    if (Number.isSafeInteger(value)) this.add(key, { intValue: String(value) });
  }

  float(key: string, value: unknown): void {
    if (typeof value === 'number') this.add(key, { doubleValue: value });
  }

  /** A duration in microseconds, as seconds. */
  seconds(key: string, microseconds: unknown): void {
    if (typeof microseconds === 'number') this.float(key, microseconds / 1e6);
  }

  /** A value of any type, unless it is missing, `null` or an empty object. */
  any(key: string, value: unknown): void {
    if (value === undefined || value === null) return;
    if (isObject(value) && Object.keys(value).length === 0) return;
    this.add(key, anyValue(value));
  }

  /** The attributes of the app. One with a name that is in use gets a prefix. */
  app(attributes: unknown): void {
    if (!isObject(attributes)) return;
    for (const [key, value] of Object.entries(attributes)) {
      if (key === '' || value === null) continue;
      this.add(this.names.has(key) || STAMPED.has(key) ? `app.attribute.${key}` : key, anyValue(value));
    }
  }

  private add(key: string, value: AnyValue): void {
    if (this.names.has(key)) return;
    this.names.add(key);
    this.list.push({ key, value });
  }
}

/** A value of JSON as `AnyValue`. */
export function anyValue(value: unknown): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (!isObject(value)) return {};
  const values = Object.entries(value).map(([key, member]) => ({ key, value: anyValue(member) }));
  return { kvlistValue: { values } };
}

/** A member that is an object; an empty one for anything else. */
export function part(of: Json, name: string): Json {
  const value = of[name];
  return isObject(value) ? value : {};
}

/** A member that is a list of objects. */
export function parts(of: Json, name: string): readonly Json[] {
  const value = of[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A member that is a text and not empty. */
export function text(of: Json, name: string): string | undefined {
  const value = of[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
