/** What the declaration of the engine's boundary takes from React Native, which a server does not have. */
export type TurboModule = object;
export const TurboModuleRegistry: { get<T>(name: string): T | null };
