import { type ReactNode, useEffect } from 'react';
import { act, create, type ReactTestRenderer } from 'react-test-renderer';
import { logEvent } from '../../api/analytics';
import { close, init } from '../../api/init';
import { freshApp } from '../../testing/app';
import { manualFrames } from '../../testing/frames';
import { routeTemplate, useRouteScreens } from '../expo-router';
import { registerNavigation } from '../react-navigation';

const consent = { monitoring: 'granted', analytics: 'granted' } as const;

let app: ReturnType<typeof freshApp>;
let draw: ReturnType<typeof manualFrames>;
beforeEach(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  app = freshApp();
  draw = manualFrames();
});
afterEach(() => {
  freshApp();
  jest.restoreAllMocks();
});

/** A root layout. Its screen does what an app does when it is shown. */
function Root({ segments, children }: { segments: string[]; children?: ReactNode }): ReactNode {
  useRouteScreens(segments);
  return children ?? null;
}

function Screen({ name }: { name: string }): null {
  useEffect(() => {
    logEvent('shown', { name });
  }, [name]);
  return null;
}

/** An app whose user goes from route to route. Each is drawn. */
function visit(...routes: string[][]): ReactTestRenderer {
  let tree: ReactTestRenderer | undefined;
  for (const segments of routes) {
    const element = (
      <Root segments={segments}>
        <Screen name={segments.join('/')} />
      </Root>
    );
    act(() => {
      if (tree) tree.update(element);
      else tree = create(element);
    });
    draw();
  }
  return tree as ReactTestRenderer;
}

/** What has begun, ended and been shown, in order. */
const story = () =>
  app.items().flatMap(({ scope, kind, name, attrs }) => {
    if (scope === 'screen' || scope === 'screen_cancelled') return [`${scope} ${name ?? ''}`.trim()];
    if (kind === 'screen_load') return [`loaded ${name}`];
    return kind === 'analytics' ? [`shown ${(attrs as { name: string }).name}`] : [];
  });

test('after an `init` before the first render the first route is a screen, too', () => {
  init({ consent, app: 'shop', release: 'shop@1' });
  visit(['(tabs)', 'home']);
  expect(story()).toEqual(['screen /home', 'shown (tabs)/home', 'loaded /home']);
});

test('what a route does when it is shown belongs to this route, and not to the one before', () => {
  init({ consent, app: 'shop', release: 'shop@1' });
  visit(['(tabs)', 'home'], ['(tabs)', 'users', '[id]']);
  expect(story().slice(3)).toEqual(['screen /users/[id]', 'shown (tabs)/users/[id]', 'loaded /users/[id]']);
});

test('back and pop to a screen that is kept open and close it once', () => {
  init({ consent, app: 'shop', release: 'shop@1' });
  const tree = visit(['home'], ['cart'], ['home']);
  // The kept screens render again, with lists of their own.
  for (let render = 0; render < 3; render++) act(() => tree.update(<Root segments={['home']} />));
  draw();
  const screens = story().filter((step) => !step.startsWith('shown'));
  expect(screens).toEqual(['/home', '/cart', '/home'].flatMap((name) => [`screen ${name}`, `loaded ${name}`]));
  act(() => tree.unmount());
  expect(story().filter((step) => step.startsWith('screen_cancelled'))).toEqual([]);
});

test('a route that is left before it is drawn is cancelled once', () => {
  init({ consent, app: 'shop', release: 'shop@1' });
  let tree: ReactTestRenderer | undefined;
  act(() => {
    tree = create(<Root segments={['splash']} />);
  });
  act(() => tree?.update(<Root segments={['home']} />));
  draw();
  expect(story()).toEqual(['screen /splash', 'screen_cancelled', 'screen /home', 'loaded /home']);
  act(() => tree?.unmount());
});

test('of React Navigation: a pop to a kept screen, and a state that changes nothing, open and close it once', async () => {
  init({ consent, app: 'shop', release: 'shop@1' });
  let route = { name: 'Home', key: 'Home-1' };
  let changed: () => void = () => undefined;
  registerNavigation({
    getCurrentRoute: () => route,
    addListener: (_, listener) => {
      changed = listener;
      return () => undefined;
    },
  });
  draw();
  for (const next of [{ name: 'Cart', key: 'Cart-2' }, route, route]) {
    route = next;
    changed();
    draw();
    changed();
    draw();
  }
  expect(story()).toEqual(['Home', 'Cart', 'Home'].flatMap((name) => [`screen ${name}`, `loaded ${name}`]));
  await close(0);
});

test.each([
  [[], '/'],
  [['(tabs)'], '/'],
  [['(app)', '(tabs)', 'users', '[id]', 'edit'], '/users/[id]/edit'],
  [['files', '[...rest]'], '/files/[...rest]'],
  [['(a,b)', 'search'], '/search'],
  [['+not-found'], '/+not-found'],
  [['half(', ')open'], '/half(/)open'],
])('%j is the route %s', (segments, template) => {
  expect(routeTemplate(segments)).toBe(template);
});
