/** What is recorded at once: when a call returns, it is in the ring of the queue, and a process that is killed has lost nothing. */
import type { CaptureOptions } from '../../../react-native/src/api/capture';
import { members } from '../../../react-native/src/api/members';
import { guarded } from '../../../react-native/src/core/guard';
import type { Attributes, EventItem, Level } from '../../../react-native/src/core/items';
import { describe } from '../../../react-native/src/core/json';
import { errorItem } from '../../../react-native/src/errors/exception';
import { markReported } from '../../../react-native/src/errors/reported';
import { activeTrace, requestContext } from './context';
import { client } from './monitor';

export type { CaptureOptions };

/**
 * Records what was caught, whatever it is: an `Error` with its causes, a text, `null`.
 *
 * Returns the id of the event, which `why(id)` explains. An empty text: nothing was recorded.
 */
export function captureException(thrown: unknown, options: CaptureOptions = {}): string {
  return guarded('', () => {
    const { attributes } = members(options, 'attributes');
    const item = errorItem(thrown, options ?? {});
    const id = recordNow(
      { ...item, ...(attributes && { attrs: attributes }), ...members(options, 'tags', 'user', 'trace', 'targets') },
      thrown,
    );
    if (id !== '') markReported(thrown, id);
    return id;
  });
}

/** Records a text with a level, `info` if none is given. */
export function captureMessage(message: string, level: Level = 'info', context?: Attributes): string {
  return guarded('', () =>
    recordNow({ kind: 'message', message: describe(message), level: level ?? 'info', ...(context && { context }) }),
  );
}

/**
 * Records an event with the trace and the user of the request, and hands it to the engine before it returns. An empty text: the engine
 * has refused it, for example because too much waits for a full disk.
 */
export function recordNow(item: EventItem, thrown?: unknown): string {
  // What waits goes first, so that the answer is about this event alone.
  client().drain();
  const id = record(item, thrown);
  return client().drain() ? id : '';
}

/** Records an event with the trace and the user of the request. It is handed to the engine at the end of the tick. */
export function record(item: EventItem, thrown?: unknown): string {
  return client().record(ofRequest(item), thrown === undefined ? undefined : { originalException: thrown });
}

/**
 * Records an error that ends the process with the trace and the user of the request, and returns when it is on the disk, after 500 ms at
 * most. False: it is not.
 */
export function recordFatal(item: EventItem, thrown: unknown): boolean {
  return client().recordFatal(ofRequest(item), { originalException: thrown });
}

function ofRequest(item: EventItem): EventItem {
  const trace = item.trace ?? activeTrace();
  const user = item.user ?? requestContext()?.user;
  return { ...item, ...(trace && { trace }), ...(user && { user }) };
}
