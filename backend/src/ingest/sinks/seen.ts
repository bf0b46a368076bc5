/** Remembers which events a sink has passed on, for one that cannot recognise them itself. `mongoSeen` makes one. */
export interface Seen {
  /** Those of the ids that were added. */
  known(project: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Adds ids after their events were passed on. Remembers them for 32 days. */
  add(project: string, ids: readonly string[]): Promise<void>;
}
