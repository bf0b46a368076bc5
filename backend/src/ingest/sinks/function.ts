/** A function of the app as a sink. */
import type { Row } from '../event';
import type { Delivery, Sink, Stored } from './sink';

/**
 * Stores rows by a function: it ends when they are durable, and throws if they are not. It returns the ids that it had before as
 * `{duplicates}`; a function that returns nothing had none.
 *
 * The function sees an event again if an answer was lost on its way. It must recognise it by `project` and `id`.
 *
 * @param more keeps answers and lost events, see {@link Sink}
 */
export function functionSink(
  work: (rows: readonly Row[], delivery: Delivery) => Promise<Stored | undefined> | Promise<void>,
  more: Omit<Sink, 'store'> = {},
): Sink {
  if (typeof work !== 'function') throw new TypeError('functionSink: give a function that stores rows');
  return {
    ...more,
    store: async (rows, delivery) => (await work(rows, delivery)) ?? undefined,
  };
}
