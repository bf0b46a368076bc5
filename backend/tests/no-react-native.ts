/** What the code of the app needs of React Native where there is no phone. */
export const TurboModuleRegistry = { get: () => null };
export const AppState = { currentState: 'active', addEventListener: () => ({ remove: () => undefined }) };
export const Alert = { alert: () => undefined };
export const Platform = { OS: 'android', select: (of: { default?: unknown }) => of.default };
