/**
 * What takes the engine's place where there is none: events are counted, and neither stored nor delivered.
 *
 * An app must not fail because a platform has no addon. Everything that only needs the process works on: the middleware, the logs, the
 * metrics, the error handler.
 */
import { guarded, isRecord } from '../../../react-native/src/core/guard';
import { read, readList } from '../../../react-native/src/core/read';
import { noPort, type Port } from '../../../react-native/src/native/port';

/** A port that counts events. `why` is the answer to every question that needs the engine. */
export function memoryPort(why: string): Port {
  let events = 0;
  const failed = () => JSON.stringify({ error: why });
  return {
    ...noPort,
    open: () => JSON.stringify({ seed: '', joined: false }),
    recordBatch(json) {
      events += eventsOf(json);
      return true;
    },
    // It is not on a disk.
    recordFatal(json) {
      events += eventsOf(json);
      return false;
    },
    addDestinations: () => '',
    removeDestination: () => why,
    pauseDestination: () => why,
    resumeDestination: () => why,
    setFacts: () => '',
    setConditions: () => '',
    setRelease: () => '',
    setForeground: () => true,
    newSession: () => true,
    setConsent: () => true,
    forgetUser: () => true,
    status: () =>
      JSON.stringify({
        status: { engine: 'memory', events },
        lines: [`No engine: ${why}`, `${events} events were recorded, and none is stored.`],
      }),
    persist: () => Promise.resolve(why),
    flush: () => Promise.resolve(failed()),
    why: () => Promise.resolve(failed()),
    inspect: () => Promise.resolve(failed()),
    lastRun: () => Promise.resolve(failed()),
    testCrash: () => why,
  };
}

/** The number of events in a document: what else it holds, breadcrumbs and changes of the scope, has no kind. */
function eventsOf(json: string): number {
  const items = readList(
    guarded(undefined, () => read(JSON.parse(json), 'items')),
    Number.POSITIVE_INFINITY,
  );
  return items.filter((item) => isRecord(item) && 'kind' in item).length;
}
