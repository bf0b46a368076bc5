import { carrier, setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import { manualFrames } from '../../testing/frames';
import { manualClock, type RecordingPort, recordingPort } from '../../testing/recording-port';
import { type NavigationRef, registerNavigation } from '../react-navigation';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

/** The part of a container ref that is public, over a stack of routes. */
class Container implements NavigationRef {
  route: { name: string; key: string } | undefined;
  private readonly listeners = new Set<() => void>();

  getCurrentRoute() {
    return this.route;
  }

  addListener(_event: 'state', listener: () => void) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  go(name: string, key = name) {
    this.route = { name, key };
    for (const listener of this.listeners) listener();
  }
}

let port: RecordingPort;
let client: Client;
let container: Container;
let draw: ReturnType<typeof manualFrames>;

beforeEach(() => {
  port = recordingPort();
  client = new Client({ port, clock: manualClock() });
  setClient(client);
  carrier().settings = {};
  carrier().undo = [];
  client.open({});
  container = new Container();
  draw = manualFrames();
});

function items() {
  client.drain();
  return port.items();
}

const loads = () =>
  items()
    .filter(({ kind }) => kind === 'screen_load')
    .map(({ name }) => name);

test('each route that becomes current is a screen load and a breadcrumb', () => {
  registerNavigation(container);
  container.go('Home');
  draw();
  container.go('Cart');
  draw();
  expect(loads()).toEqual(['Home', 'Cart']);
  expect(
    items()
      .filter((item) => 'breadcrumb' in item)
      .map(({ breadcrumb }) => (breadcrumb as { data: unknown }).data),
  ).toEqual([{ to: 'Home' }, { from: 'Home', to: 'Cart' }]);
});

test('a change of parameters is no new screen, and the same name under another key is one', () => {
  registerNavigation(container);
  container.go('Product', 'p1');
  draw();
  container.go('Product', 'p1');
  container.go('Product', 'p2');
  draw();
  expect(loads()).toEqual(['Product', 'Product']);
});

test('a screen that is left before it is shown is cancelled', () => {
  registerNavigation(container);
  container.go('Splash');
  container.go('Home');
  draw();
  expect(loads()).toEqual(['Home']);
  expect(items().filter(({ scope }) => scope === 'screen_cancelled')).toHaveLength(1);
});

test('settings switch off screens and breadcrumbs', () => {
  carrier().settings = { screens: false, breadcrumbNavigation: false };
  registerNavigation(container);
  container.go('Home');
  draw();
  expect(items()).toEqual([]);
});

test('it stops when it is told, and when the engine is closed', () => {
  registerNavigation(container)();
  container.go('Home');
  registerNavigation(container);
  for (const undo of carrier().undo) undo();
  container.go('Cart');
  draw();
  expect(loads()).toEqual([]);
});

test('a container that is observed and left again leaves nothing behind', () => {
  for (let time = 0; time < 3; time++) {
    const end = registerNavigation(container);
    end();
    end();
  }
  expect(carrier().undo).toEqual([]);
});

test.each([
  undefined,
  null,
  {},
  { getCurrentRoute: 5 },
  {
    addListener: () => {
      throw new Error('no');
    },
  },
])('a container that is none (%p) throws nothing', (ref) => {
  expect(() => registerNavigation(ref as never)()).not.toThrow();
});
