/** Whether this is a debug build of the bundle: `__DEV__`. */
export function isDevelopment(): boolean {
  return (globalThis as { __DEV__?: boolean }).__DEV__ === true;
}
