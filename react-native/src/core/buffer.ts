/**
 * Collects the items of a tick and hands them to the engine as one document.
 *
 * A call of the engine costs a few microseconds whatever it carries, so one call per tick is cheaper than one per event. Nothing waits
 * longer than the tick: what the app recorded in it is on its way before the next one begins.
 */

/** A document of this many characters is handed over within the tick. Above 32 KiB the engine would cut it into several records. */
const FULL = 24 * 1024;

/** Items that wait for the engine to be opened: the newest stay. */
export const waiting = { items: 200, characters: 128 * 1024 };

interface Entry {
  json: string;
  atMs: number;
  /** Counts as an event of the app when it is dropped. */
  event: boolean;
  /** No hook was there when it was recorded. */
  unseen: boolean;
}

/** What a buffer needs. */
export interface BufferHost {
  /** Hands a document to the engine. */
  send(document: string): boolean;
  /** Calls `run` at the end of the tick. */
  schedule(run: () => void): void;
  nowMs(): number;
}

export class Buffer {
  private entries: Entry[] = [];
  private size = 0;
  private scheduled = false;
  private held = true;
  /** Events that were dropped because too many waited for the engine. */
  dropped = 0;

  constructor(private readonly host: BufferHost) {}

  /** Adds an item: a JSON object with at least one member. `unseen`: no hook was there that could have changed it. */
  add(json: string, event: boolean, unseen = false): void {
    this.entries.push({ json, atMs: this.host.nowMs(), event, unseen });
    this.size += json.length;
    if (this.held) this.makeRoom();
    else if (this.size >= FULL) this.drain();
    else if (!this.scheduled) {
      this.scheduled = true;
      this.host.schedule(() => this.drain());
    }
  }

  /** The engine is open: what has waited goes to it, and what no hook has seen passes `hook` before. Undefined: it is dropped. */
  release(hook?: (json: string) => string | undefined): void {
    this.held = false;
    if (hook) this.entries = this.entries.flatMap((entry) => this.passed(entry, hook));
    this.drain();
  }

  private passed(entry: Entry, hook: (json: string) => string | undefined): Entry[] {
    const json = entry.unseen ? hook(entry.json) : entry.json;
    this.size += (json?.length ?? 0) - entry.json.length;
    return json === undefined ? [] : [{ ...entry, json }];
  }

  /** Hands everything to the engine now. False: it refused an event, and counted it. */
  drain(): boolean {
    this.scheduled = false;
    let taken = true;
    while (!this.held && this.entries.length > 0) taken = this.host.send(this.document()) && taken;
    return taken;
  }

  /** Forgets everything, and keeps what follows until `release`. */
  reset(): void {
    this.entries = [];
    this.size = 0;
    this.held = true;
  }

  /** What waits, as a document whose last item is `last`. */
  documentWith(last: string): string {
    this.entries.push({ json: last, atMs: this.host.nowMs(), event: true, unseen: false });
    this.size += last.length;
    let document = this.document();
    while (this.entries.length > 0) {
      this.host.send(document);
      document = this.document();
    }
    return document;
  }

  /** Takes the first items, at most `FULL` characters of them, and at least one. */
  private document(): string {
    const now = this.host.nowMs();
    const items: string[] = [];
    let length = 0;
    for (const { json, atMs } of this.entries) {
      if (items.length > 0 && length + json.length > FULL) break;
      length += json.length;
      items.push(now - atMs > 1 ? withTime(json, atMs) : json);
    }
    this.entries.splice(0, items.length);
    this.size -= length;
    return `{"v":1,"items":[${items.join(',')}]}`;
  }

  private makeRoom(): void {
    while (this.entries.length > waiting.items || (this.size > waiting.characters && this.entries.length > 1)) {
      const oldest = this.entries.shift();
      if (oldest === undefined) return;
      this.size -= oldest.json.length;
      if (oldest.event) this.dropped += 1;
    }
  }
}

/**
 * The engine takes the moment at which it gets an item as its time. An item that has waited says its own; the last of two members
 * counts, so a time that the app gave stays.
 */
function withTime(json: string, atMs: number): string {
  return `{"at_ms":${Math.round(atMs)},${json.slice(1)}`;
}
