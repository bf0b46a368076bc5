/** What an app passes as a component. */
import type { ComponentType } from 'react';
import { isObject, readText } from '../core/read';

/** Whether it can be one: a function, a class, or the object that `memo` and `lazy` make. */
export function isComponent<P>(value: ComponentType<P>): value is ComponentType<P> {
  return isObject(value);
}

/** The name that developer tools show. */
export function componentName(component: unknown, otherwise: string): string {
  return readText(component, 'displayName') || readText(component, 'name') || otherwise;
}
