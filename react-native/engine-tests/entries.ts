/** Every public call of every entry of the package, with what it needs to be called. */
import * as main from '../src';
import * as datadog from '../src/datadog';
import * as firebase from '../src/firebase-analytics';
import * as guide from '../src/guide';
import * as mixpanel from '../src/mixpanel';
import * as sentry from '../src/sentry';

export type Call = (...args: unknown[]) => unknown;

export interface PublicCall {
  /** `sentry.captureException`, `mixpanel.Mixpanel.track`. */
  name: string;
  call: Call;
}

/** Components and hooks need a render; their tests are beside them. A server of the inspector outlives its call. */
const LEFT_OUT =
  /^(ErrorBoundary|FeedbackForm|MonitoredImage|RezInspector|TimeToDisplay|useRouteScreens|useScreenLoad|startInspector|showFeedback)$/;

const CLASSES = new Set(['ApiCall', 'ScreenLoad', 'Span', 'Mixpanel', 'AppError', 'ReactNativeTracing']);

export const ENTRIES: Readonly<Record<string, object>> = { main, sentry, datadog, firebase, mixpanel, guide };

/** The calls of all entries. A class gives its constructor, and the methods of an object of it. */
export function publicCalls(entries = ENTRIES): PublicCall[] {
  return Object.entries(entries).flatMap(([entry, exports]) =>
    Object.entries(exports).flatMap(([name, value]) => (LEFT_OUT.test(name) ? [] : calls(`${entry}.${name}`, value))),
  );
}

function calls(name: string, value: unknown): PublicCall[] {
  if (typeof value === 'function') {
    if (!isClass(name)) return [{ name, call: value as Call }, ...methods(name, value)];
    const Made = value as new (...args: unknown[]) => object;
    const made = (...args: unknown[]) => new Made(...args);
    return [{ name, call: made }, ...methods(name, Made.prototype as object, () => made('text', 'text'))];
  }
  if (typeof value !== 'object' || value === null) return [];
  return methods(name, value);
}

const isClass = (name: string) => CLASSES.has(name.slice(name.indexOf('.') + 1)) || /Instrumentation$/.test(name);

/** The methods of an object and of its class. `object`: makes the one that they are called on. */
function methods(name: string, of: object, object: () => object = () => of): PublicCall[] {
  const names = new Set<string>();
  for (
    let at: object | null = of;
    at && at !== Object.prototype && at !== Function.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    if (at === Error.prototype) break;
    for (const one of Object.getOwnPropertyNames(at)) names.add(one);
  }
  const known = ['constructor', 'prototype', 'length', 'name', 'caller', 'callee', 'arguments'];
  return [...names]
    .filter((one) => !known.includes(one) && typeof Reflect.get(of, one) === 'function')
    .map((one) => ({
      name: `${name}.${one}`,
      call: (...args) => (object() as Record<string, Call>)[one]?.(...args),
    }));
}
