/** React Native as it is outside an app: without native modules. */
export const TurboModuleRegistry = { get: () => null };
