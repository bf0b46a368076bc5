import { act, type ReactNode, StrictMode, Suspense } from 'react';
import { Image, Text, View } from 'react-native';
import { create, type ReactTestRenderer } from 'react-test-renderer';
import { captureException } from '../../api/capture';
import { close } from '../../api/init';
import { carrier, setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import { useRouteScreens } from '../../navigation/expo-router';
import { manualFrames } from '../../testing/frames';
import { manualClock, type RecordingPort, recordingPort } from '../../testing/recording-port';
import { ErrorBoundary, withErrorBoundary } from '../error-boundary';
import { MonitoredImage } from '../monitored-image';
import { TimeToDisplay, useScreenLoad } from '../screen-load';
import { markInteractive, withMonitor } from '../with-monitor';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

let port: RecordingPort;
let client: Client;
let clock: ReturnType<typeof manualClock>;
let drawFrames: ReturnType<typeof manualFrames>;

beforeEach(() => {
  port = recordingPort();
  clock = manualClock();
  client = new Client({ port, clock });
  setClient(client);
  carrier().marks.clear();
  carrier().settings = {};
  client.open({});
  drawFrames = manualFrames();
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
});

/** Draws two frames, `ms` apart. */
function draw(ms: number): void {
  drawFrames(() => clock.advance(ms / 2));
}

function items() {
  client.drain();
  return port.items();
}

function render(element: ReactNode): ReactTestRenderer {
  let tree: ReactTestRenderer | undefined;
  act(() => {
    tree = create(element as Parameters<typeof create>[0]);
  });
  return tree as ReactTestRenderer;
}

function Layout({ segments }: { segments: string[] }) {
  useRouteScreens(segments);
  return null;
}

interface Later {
  promise: Promise<void>;
  here: boolean;
  come(): void;
}

/** Data that comes when the test says so. */
function later(): Later {
  let resolve: () => void = () => undefined;
  const data: Later = {
    promise: new Promise((come) => {
      resolve = come;
    }),
    here: false,
    come: () => {
      data.here = true;
      resolve();
    },
  };
  return data;
}

/** A screen that suspends until its data is there. */
function Waiting({ data }: { data: Later | undefined }): ReactNode {
  useScreenLoad('Cart');
  if (data !== undefined && !data.here) throw data.promise;
  return null;
}

function Broken(): ReactNode {
  throw new TypeError('no cart');
}

const scopeOfBundle = globalThis as { __BUNDLE_START_TIME__?: unknown };

const health = { broken: true };

function Sometimes(): ReactNode {
  return health.broken ? <Broken /> : <Text>fine</Text>;
}

const kinds = () => items().map((item) => item.kind ?? item.scope ?? 'breadcrumb');

describe('a screen load', () => {
  test('ends with the frame that shows the screen', () => {
    render(<TimeToDisplay name="Cart" />);
    draw(40);
    expect(items()).toEqual([
      expect.objectContaining({ scope: 'screen', name: 'Cart' }),
      expect.objectContaining({
        kind: 'screen_load',
        name: 'Cart',
        duration_us: 40_000,
        initial_us: 40_000,
        full_us: 40_000,
      }),
    ]);
  });

  test('that waits for data has an initial and a full display', () => {
    const tree = render(<TimeToDisplay name="Cart" ready={false} />);
    draw(40);
    clock.advance(500);
    act(() => tree.update(<TimeToDisplay name="Cart" ready />));
    draw(10);
    expect(items().at(-1)).toMatchObject({
      kind: 'screen_load',
      initial_us: 40_000,
      full_us: 550_000,
      duration_us: 550_000,
    });
  });

  test('of a screen that is removed before is cancelled, and one that has ended is recorded once', () => {
    const tree = render(<TimeToDisplay name="Cart" ready={false} />);
    act(() => tree.unmount());
    expect(kinds()).toEqual(['screen', 'screen_cancelled']);
    const shown = render(<TimeToDisplay name="Home" />);
    draw(10);
    act(() => shown.unmount());
    draw(10);
    expect(kinds()).toEqual(['screen', 'screen_cancelled', 'screen', 'screen_load']);
  });

  test('is recorded in StrictMode, which runs effects twice', () => {
    render(
      <StrictMode>
        <TimeToDisplay name="Cart" />
      </StrictMode>,
    );
    draw(40);
    const loads = items().filter(({ kind }) => kind === 'screen_load');
    expect(loads).toEqual([
      expect.objectContaining({ name: 'Cart', duration_us: 40_000, initial_us: 40_000, full_us: 40_000 }),
    ]);
    const begun = items().filter(({ scope }) => scope === 'screen');
    const cancelled = items().filter(({ scope }) => scope === 'screen_cancelled');
    expect(begun.length - cancelled.length).toBe(1);
    expect(begun.at(-1)?.view).toBe(loads[0]?.view);
  });

  test('of a screen that suspends begins once, with its first render', async () => {
    const data = later();
    const tree = render(
      <Suspense fallback={null}>
        <Waiting data={data} />
      </Suspense>,
    );
    for (let time = 0; time < 3; time++) {
      clock.advance(100);
      act(() =>
        tree.update(
          <Suspense fallback={null}>
            <Waiting data={data} />
          </Suspense>,
        ),
      );
    }
    expect(items()).toEqual([]);
    await act(async () => data.come());
    draw(40);
    expect(kinds()).toEqual(['screen', 'screen_load']);
    expect(items()[1]).toMatchObject({ name: 'Cart', duration_us: 340_000, start_ms: clock.wall - 340 });
  });

  test('of a screen that was left while it was suspended does not lengthen a later one', async () => {
    const left = render(
      <Suspense fallback={null}>
        <Waiting data={later()} />
      </Suspense>,
    );
    act(() => left.unmount());
    clock.advance(60_000);
    render(<TimeToDisplay name="Cart" />);
    draw(40);
    expect(items().at(-1)).toMatchObject({ kind: 'screen_load', duration_us: 40_000 });
  });

  test('that was shown is not repeated when the screen suspends again', async () => {
    const data = later();
    const tree = render(
      <Suspense fallback={null}>
        <Waiting data={undefined} />
      </Suspense>,
    );
    draw(40);
    act(() =>
      tree.update(
        <Suspense fallback={null}>
          <Waiting data={data} />
        </Suspense>,
      ),
    );
    clock.advance(5_000);
    await act(async () => data.come());
    draw(40);
    expect(kinds()).toEqual(['screen', 'screen_load']);
  });
});

describe('an error boundary', () => {
  beforeEach(() => jest.spyOn(console, 'error').mockImplementation(() => undefined));
  afterEach(() => jest.restoreAllMocks());

  test('records what its children throw, with the components, and shows the fallback', () => {
    const seen: unknown[] = [];
    const tree = render(
      <ErrorBoundary fallback={({ error }) => <Text>{String(error)}</Text>} onError={(...args) => seen.push(args)}>
        <Broken />
      </ErrorBoundary>,
    );
    expect(tree.root.findByType(Text).props.children).toBe('TypeError: no cart');
    const [error] = items();
    expect(error).toMatchObject({ kind: 'error', type: 'TypeError', message: 'no cart', mechanism: 'react' });
    expect(JSON.stringify(error)).toContain('Broken');
    expect(seen).toEqual([[expect.any(TypeError), error?.id]]);
  });

  test('does not record again what the app has captured and thrown on, and tells its event', () => {
    const error = new Error('known');
    const id = captureException(error);
    const seen: unknown[] = [];
    const Throws = (): ReactNode => {
      throw error;
    };
    render(
      <ErrorBoundary onError={(...args) => seen.push(args)}>
        <Throws />
      </ErrorBoundary>,
    );
    expect(items()).toEqual([expect.objectContaining({ id, message: 'known' })]);
    expect(seen).toEqual([[error, id]]);
  });

  test('survives properties that are none', () => {
    const capture = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('keys');
        },
      },
    );
    const hostile = { onError: 5, onReset: 5, capture } as object;
    const tree = render(<ErrorBoundary {...hostile}>{<Broken />}</ErrorBoundary>);
    act(() => (tree.root.instance as ErrorBoundary).reset());
    // After the reset its child throws a new error.
    expect(items()).toHaveLength(2);
  });

  test('renders its children again after a reset', () => {
    health.broken = true;
    const reset: (() => void)[] = [];
    const Bounded = withErrorBoundary(Sometimes, {
      fallback: (props) => {
        reset.push(props.reset);
        return null;
      },
    });
    const tree = render(<Bounded />);
    health.broken = false;
    act(() => reset.at(-1)?.());
    expect(tree.root.findByType(Text).props.children).toBe('fine');
  });

  test('without a fallback and without an engine shows nothing and throws nothing', () => {
    setClient(new Client({ port: null }));
    expect(render(<ErrorBoundary>{<Broken />}</ErrorBoundary>).toJSON()).toBeNull();
  });
});

describe('the root of the app', () => {
  const scope = globalThis as { __BUNDLE_START_TIME__?: unknown };
  afterEach(() => {
    scope.__BUNDLE_START_TIME__ = undefined;
  });

  test('has the time to the first render, and to interactive, once each', () => {
    scope.__BUNDLE_START_TIME__ = clock.mono;
    const App = withMonitor(() => <Text>shop</Text>);
    render(<App />);
    draw(120);
    clock.advance(200);
    markInteractive();
    markInteractive();
    render(<App />);
    draw(10);
    expect(items().map(({ name, value }) => [name, value])).toEqual([
      ['app.time_to_first_render', 120],
      ['app.time_to_interactive', 320],
    ]);
  });

  test('records no start that began long ago, or that nobody has measured', () => {
    scope.__BUNDLE_START_TIME__ = clock.mono - 600_000;
    markInteractive();
    carrier().marks.clear();
    scope.__BUNDLE_START_TIME__ = undefined;
    markInteractive();
    expect(items()).toEqual([]);
  });

  test('records a tap by the nearest label, and never a text', () => {
    const App = withMonitor(() => null);
    const tree = render(<App />);
    const tap = tree.root.findByType(View).props.onTouchEndCapture as (event: unknown) => void;
    const pay = {
      memoizedProps: { children: 'Pay 1499 INR' },
      return: { memoizedProps: { testID: 'pay' }, return: null },
    };
    tap({ _targetInst: pay });
    for (const hostile of [undefined, null, {}, { _targetInst: 5 }, { _targetInst: { memoizedProps: null } }])
      tap(hostile);
    expect(items()).toEqual([
      { breadcrumb: { category: 'touch', type: 'user', message: 'tap on pay' } },
      expect.objectContaining({ kind: 'interaction', action: 'tap', component: 'pay' }),
    ]);
  });
});

test('after close the root and an image record nothing', async () => {
  scopeOfBundle.__BUNDLE_START_TIME__ = clock.mono;
  const App = withMonitor(() => null);
  const tree = render(<App />);
  const image = render(<MonitoredImage source={{ uri: 'https://cdn.example.com/a.jpg' }} />);
  await close();
  const { onLoadStart, onLoad } = image.root.findByType(Image).props;
  onLoadStart();
  onLoad({});
  draw(10);
  tree.root
    .findByType(View)
    .props.onTouchEndCapture({ _targetInst: { memoizedProps: { testID: 'pay' }, return: null } });
  render(<TimeToDisplay name="Cart" />);
  render(<Layout segments={['home']} />);
  draw(10);
  scopeOfBundle.__BUNDLE_START_TIME__ = undefined;
  client.open({});
  expect(items()).toEqual([]);
});

test('what is no component is returned as it is, and what is no list of segments is no screen', () => {
  for (const one of [undefined, null, 5]) {
    expect(withMonitor(one as never)).toBe(one);
    expect(withErrorBoundary(one as never)).toBe(one);
    render(<Layout segments={one as never} />);
    render(<Layout segments={[one] as never} />);
  }
  draw(10);
  expect(items()).toEqual([]);
});

test('an image of the network is measured, and one of the bundle is not', () => {
  const tree = render(<MonitoredImage source={{ uri: 'https://cdn.example.com/a.jpg' }} />);
  const { onLoadStart, onLoad } = tree.root.findByType(Image).props;
  onLoadStart();
  clock.advance(250);
  onLoad({});
  const bundled = render(<MonitoredImage source={1} />).root.findByType(Image).props;
  bundled.onLoadStart();
  bundled.onLoad({});
  expect(items()).toEqual([
    expect.objectContaining({ kind: 'image_load', url: 'https://cdn.example.com/a.jpg', duration_us: 250_000 }),
  ]);
});

test('a route of Expo Router is a screen by its template, without groups and values', () => {
  const tree = render(<Layout segments={['(tabs)', 'home']} />);
  draw(10);
  act(() => tree.update(<Layout segments={['(tabs)', 'users', '[id]']} />));
  draw(10);
  act(() => tree.update(<Layout segments={['(tabs)', 'home']} />));
  draw(10);
  const loads = items().filter(({ kind }) => kind === 'screen_load');
  expect(loads.map(({ name }) => name)).toEqual(['/home', '/users/[id]', '/home']);
});
