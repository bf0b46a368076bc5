/** Screens of Expo Router, from what its public hook returns: no import, so that an app without it pays nothing. */
import { useEffect, useLayoutEffect, useRef } from 'react';
import { guarded } from '../core/guard';
import { Routes } from './react-navigation';

/**
 * Observes the routes of Expo Router. Call it in the root layout:
 *
 * ```tsx
 * import { useSegments } from 'expo-router';
 *
 * export default function RootLayout() {
 *   useRouteScreens(useSegments());
 * ```
 *
 * A screen has the name of its route file, `/users/[id]`: values of parameters are never recorded. What is no list of texts is no screen.
 */
export function useRouteScreens(segments: readonly string[]): void {
  const template = guarded(undefined, () => routeTemplate(segments));
  const routes = useRef<Routes | undefined>(undefined);
  routes.current ??= new Routes();
  useLayoutEffect(() => {
    if (template !== undefined) guarded(undefined, () => routes.current?.enter(template));
  }, [template]);
  useEffect(() => () => routes.current?.leave(), []);
}

/** The route without its groups: `['(tabs)', 'users', '[id]']` is `/users/[id]`. */
export function routeTemplate(segments: readonly string[]): string {
  const shown = segments.filter((segment) => !(segment.startsWith('(') && segment.endsWith(')')));
  return `/${shown.join('/')}`;
}
