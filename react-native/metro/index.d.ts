/** What was bundled under an id. */
export interface BundledDebugId {
  /** A UUID in lower case. */
  debugId: string;
  /** `android`, `ios`, `web`. */
  platform?: string | undefined;
  /** The entry file, an absolute path. */
  entryPoint: string;
}

export interface RezMetroOptions {
  /** Called once for each bundle whose files have got an id: to print it, or to note it for an upload. */
  onDebugId?: (bundled: BundledDebugId) => void;
}

/**
 * Gives each bundle for users a debug id, which errors carry and by which a server finds the source map.
 *
 * The id is a UUID made from the modules that the serializer gets: the same modules have the same id. It stands in the bundle, as a
 * statement that registers it when the bundle begins to run and as the comment `//# debugId=..` at the end, and in the source map as
 * `debugId` and `debug_id`. Bundles of the development server are left as they are.
 *
 * A serializer that the config has already is wrapped; the config is changed in place and returned. A second call changes nothing. The
 * build prints one warning if a serializer drops the statement, or answers a source map that cannot be read.
 *
 * @throws TypeError if the config is no object.
 */
export function withRezMonitor<T extends object>(config: T, options?: RezMetroOptions): T;

/**
 * Copies the id of Metro's source map into one that was made from it, such as the map of the Hermes bytecode that the scripts of React
 * Native compose. Both are paths of files. Returns the id.
 *
 * @throws Error if a file cannot be read or is no JSON, or if `from` has no id.
 */
export function copyDebugId(from: string, to: string): string;
