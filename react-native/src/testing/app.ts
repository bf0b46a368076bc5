/** An app of its own for each test: no state of another test, a recording native side, a clock that the test moves. */
import { carrier, setClient } from '../core/carrier';
import { Client } from '../core/client';
import { setDebug } from '../core/say';
import type { Port } from '../native/port';
import { manualClock, recordingPort } from './recording-port';

export function freshApp(answers: Partial<Port> = {}) {
  for (const undo of carrier().undo.splice(0).reverse()) undo();
  setDebug(undefined);
  delete (globalThis as Record<symbol, unknown>)[Symbol.for('app.rez.monitor')];
  const port = recordingPort(answers);
  const clock = manualClock();
  const client = new Client({ port, clock, schedule: (run) => run() });
  setClient(client);
  return {
    port,
    clock,
    client,
    /** Opens the engine without a word of the app. */
    open: () => client.open({}),
    /** The settings of the first `open`. */
    settings: () => JSON.parse(String(port.calls.find(([name]) => name === 'open')?.[1])) as Record<string, unknown>,
    /** The destinations that were opened with the engine or added later, in order. */
    destinations: () =>
      port.calls
        .filter(([name]) => name === 'open' || name === 'addDestinations')
        .flatMap(
          ([, settings]) => (JSON.parse(String(settings)) as { destinations: Record<string, unknown>[] }).destinations,
        ),
    /** The items without the ids and spans of events. */
    items: () =>
      port.items().map((item) => {
        const { id, trace, view, ...rest } = item;
        return 'kind' in item ? rest : item;
      }),
  };
}

/** Settings of `init` with which nothing is observed or printed. */
export const QUIET = {
  consent: { monitoring: 'granted', analytics: 'granted' },
  errors: false,
  rejections: false,
  network: false,
  longTasks: false,
  breadcrumbConsole: false,
  debug: false,
} as const;

/** Objects that an app can pass by mistake. */
export const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  0,
  Number.NaN,
  'text',
  10n,
  Symbol('s'),
  () => 1,
  cyclic(),
  Object.defineProperty({}, 'level', {
    enumerable: true,
    get: () => {
      throw new Error('getter');
    },
  }),
  new Proxy(
    {},
    {
      get: () => {
        throw new Error('get');
      },
      ownKeys: () => {
        throw new Error('keys');
      },
    },
  ),
];

function cyclic(): object {
  const one: Record<string, unknown> = {};
  one.self = one;
  return one;
}
