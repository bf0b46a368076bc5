/** `analytics()`, the form of Firebase Analytics up to version 25 of the vendor's package. */
import * as calls from './analytics';
import { EVENTS, type EventMethod } from './events';

type EventCalls = { [method in EventMethod]: (params?: calls.Params) => Promise<void> };

export type Analytics = Omit<typeof calls, 'default'> & EventCalls;

const events = {} as EventCalls;
for (const [method, name] of Object.entries(EVENTS)) {
  events[method as EventMethod] = (params) => calls.logEvent(name, params);
}

const theOne: Analytics = { ...calls, ...events };

/** The one instance. `app`: Firebase's app, which has no meaning here. */
export function analytics(_app?: unknown): Analytics {
  return theOne;
}
