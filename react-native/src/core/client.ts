/**
 * The engine as the package uses it: one object that records, and asks.
 *
 * Recording goes through the buffer; every question and every change of the engine drains the buffer first, so that calls keep their
 * order. No method throws.
 */
import { guardedPort, noPort, type Port } from '../native/port';
import {
  type FlushResult,
  type LastRun,
  type LogLine,
  type Metric,
  readFlush,
  readHeaders,
  readLastRun,
  readLog,
  readMetrics,
  readObject,
  readOpening,
  readStatus,
  readWhy,
  type Status,
} from './answers';
import { Buffer } from './buffer';
import { type Clock, platformClock, Stopwatch } from './clock';
import { Ids } from './ids';
import type { Breadcrumb, BreadcrumbItem, EventItem, ScopeItem, Trace } from './items';
import { objectToJson, toJson } from './json';
import { readText } from './read';
import { say } from './say';

export type Purpose = 'monitoring' | 'analytics';
export type Consent = 'granted' | 'denied' | 'pending';

export type { Flushed, FlushResult, LastCrash, LogLine } from './answers';

/** What a hook learns about an event beside the event. */
export interface EventHint {
  /** What was thrown, as it was passed. */
  originalException?: unknown;
}

/** Changes an item, or drops it by returning null. Never sees an item that another hook records. */
export interface Hooks {
  event?: (event: EventItem, hint: EventHint) => EventItem | null | undefined;
  breadcrumb?: (breadcrumb: Breadcrumb) => Breadcrumb | null | undefined;
}

/** What every event says about the bundle that runs. */
export interface AboutBundle {
  /** All of it: the engine has just been opened, or has forgotten it. */
  all(): ScopeItem[];
  /** What is new since the last call. Asked before an error is recorded. */
  news(): ScopeItem[];
}

export interface ClientOptions {
  port?: Port | null;
  clock?: Clock;
  /** Calls `run` at the end of the tick. */
  schedule?: (run: () => void) => void;
}

export class Client {
  readonly ids = new Ids();
  readonly clock: Clock;
  hooks: Hooks = {};
  aboutBundle: AboutBundle | undefined;
  private readonly port: Port;
  private readonly hasEngine: boolean;
  private readonly buffer: Buffer;
  private state: 'waiting' | 'open' | 'off' = 'waiting';
  private inHook = false;
  /** What was decided before the engine was open, by its subject: it takes effect before anything is recorded. */
  private readonly decided = new Map<string, () => unknown>();
  /** The user's decisions, as far as this process knows them. */
  private consents: { [P in Purpose]?: string } = {};
  /** Events that a hook dropped, or that a hook which failed would have let through unseen. */
  filtered = 0;
  /** The id of the event that was recorded last: for calls that return something else. */
  lastId = '';

  constructor(options: ClientOptions = {}) {
    this.hasEngine = options.port != null;
    this.port = guardedPort(options.port ?? noPort);
    this.clock = options.clock ?? platformClock;
    this.buffer = new Buffer({
      send: (document) => this.port.recordBatch(document),
      schedule: options.schedule ?? ((run) => void Promise.resolve().then(run)),
      nowMs: () => this.clock.wallMs(),
    });
  }

  /** Whether the engine is open. Before that, the newest 200 items wait in memory. */
  get opened(): boolean {
    return this.state === 'open';
  }

  /** Records nothing, and forgets what waits, until `open`. */
  switchOff(): void {
    this.state = 'off';
    this.buffer.reset();
  }

  /** Events dropped before the engine was open. */
  get dropped(): number {
    return this.buffer.dropped;
  }

  /** Opens the engine, or adds the destinations of `settings` if it is open. Returns what is wrong, or an empty text. */
  open(settings: object, facts?: object): string {
    if (this.opened) return this.addDestinations(settings, 'oldest');
    const { seed, error } = readOpening(
      this.port.open(objectToJson(settings), facts === undefined ? '' : objectToJson(facts)),
    );
    if (error !== '') return error;
    if (seed !== '') this.ids.seed(seed);
    this.state = 'open';
    this.consents = {
      monitoring: readText(settings, 'consentMonitoring'),
      analytics: readText(settings, 'consentAnalytics'),
      ...this.consents,
    };
    for (const decision of this.decided.values()) decision();
    this.decided.clear();
    // Before what has waited: an error from before `init` belongs to this bundle too.
    const about = this.aboutBundle?.all() ?? [];
    if (about.length > 0) this.port.recordBatch(`{"v":1,"items":[${about.map(toJson).join(',')}]}`);
    this.buffer.release((json) => this.seen(json));
    return '';
  }

  /** Records an event. Returns its id, or an empty text if a hook dropped it or there is no engine. */
  record(item: EventItem, hint?: EventHint): string {
    const event = this.prepared(item, hint);
    this.lastId = event && this.add(toJson(event), true, this.hooks.event === undefined) ? event.id : '';
    return this.lastId;
  }

  /**
   * Records an error that ends the process, and returns when it is on the disk, after 500 ms at most. False: it is not, because the
   * engine refused it or is not open.
   */
  recordFatal(item: EventItem, hint?: EventHint): boolean {
    const event = this.prepared(item, hint);
    const json = event && toJson(event);
    if (!json || !this.opened) return false;
    return this.port.recordFatal(this.buffer.documentWith(json));
  }

  breadcrumb(breadcrumb: Breadcrumb, atMs?: number): void {
    if (!this.records) return;
    const kept = this.hooked(this.hooks.breadcrumb, breadcrumb);
    if (!kept) return;
    const item: BreadcrumbItem = atMs === undefined ? { breadcrumb: kept } : { breadcrumb: kept, at_ms: atMs };
    this.add(toJson(item), false, this.hooks.breadcrumb === undefined);
  }

  scope(change: ScopeItem): void {
    if (this.records) this.add(toJson(change), false);
  }

  stopwatch(): Stopwatch {
    return new Stopwatch(this.clock);
  }

  /** Before the engine is open, the decision waits for it. */
  setConsent(purpose: Purpose, consent: Consent): boolean {
    const decide = () => this.drained().setConsent(purpose, consent);
    this.consents[purpose] = consent;
    if (this.deniesAll) this.forgetWaiting();
    return this.later(`consent ${purpose}`, decide) ?? this.retold(decide());
  }

  /** Whether both purposes are denied: the engine has erased the user then. */
  get deniesAll(): boolean {
    return this.consents.monitoring === 'denied' && this.consents.analytics === 'denied';
  }

  /** Before the engine is open, what waits is forgotten now, and the decision waits for it. */
  forgetUser(): boolean {
    const decide = () => this.drained().forgetUser();
    this.forgetWaiting();
    return this.later('user', decide) ?? this.retold(decide());
  }

  setForeground(foreground: boolean): boolean {
    return this.drained().setForeground(foreground);
  }

  newSession(): boolean {
    return this.drained().newSession();
  }

  setFacts(facts: object): string {
    return this.drained().setFacts(objectToJson(facts));
  }

  setConditions(conditions: object): string {
    return this.drained().setConditions(objectToJson(conditions));
  }

  setRelease(release: string, dist = ''): string {
    return this.drained().setRelease(release, dist);
  }

  addDestinations(settings: object, from: 'oldest' | 'now' = 'oldest'): string {
    return this.drained().addDestinations(objectToJson(settings), from);
  }

  removeDestination(name: string): string {
    return this.drained().removeDestination(name);
  }

  /** Before the engine is open, the decision waits for it. */
  pauseDestination(name: string): string {
    const decide = () => this.drained().pauseDestination(name);
    return this.later(`pause ${name}`, decide) ? '' : decide();
  }

  resumeDestination(name: string): string {
    const decide = () => this.drained().resumeDestination(name);
    return this.later(`pause ${name}`, decide) ? '' : decide();
  }

  /** The headers that continue `trace` in a request to `url`; none for a host that is no trace target. */
  traceHeaders(trace: Trace, url: string): Record<string, string> {
    return readHeaders(this.port.traceHeaders(objectToJson(trace), url));
  }

  /** The state of the engine as `rezq status --json` prints it, and in sentences. Undefined without an engine. */
  status(): Status | undefined {
    return readStatus(this.drained().status());
  }

  metrics(): Metric[] {
    return readMetrics(this.drained().metrics());
  }

  clearMetrics(): boolean {
    return this.drained().clearMetrics();
  }

  takeLog(): LogLine[] {
    return readLog(this.port.takeLog());
  }

  /** Resolves when everything recorded so far is on the disk: to an empty text, or to what is wrong. */
  persist(waitMs: number): Promise<string> {
    return this.drained().persist(waitMs);
  }

  /** Sends until nothing is left, a request fails or `waitMs` ends. */
  async flush(waitMs: number): Promise<FlushResult> {
    return readFlush(await this.drained().flush(waitMs));
  }

  /** What became of an event, as `rezq why --json` prints it. */
  async why(id: string, waitMs: number): Promise<Record<string, unknown>> {
    return readWhy(await this.drained().why(id, waitMs));
  }

  /** How the run before this one ended. */
  async lastRun(waitMs: number): Promise<LastRun | null> {
    return readLastRun(await this.port.lastRun(waitMs));
  }

  /** Ends the process. Returns why it goes on. */
  testCrash(kind: 'exception' | 'fault' | 'abort' | 'panic'): string {
    return this.drained().testCrash(kind);
  }

  /** The answer of the engine to a request of the inspector, as JSON. */
  inspect(request: object, waitMs: number): Promise<string> {
    return this.drained().inspect(objectToJson(request), waitMs);
  }

  /** Ends the session, sends what it can within `waitMs`, and closes. `open` may be called again. */
  async close(waitMs: number): Promise<void> {
    const port = this.drained();
    this.switchOff();
    await port.close(waitMs);
  }

  /** Hands everything recorded so far to the engine now, instead of at the end of the tick. False: it refused an event. */
  drain(): boolean {
    return this.buffer.drain();
  }

  /** Whether what is recorded goes anywhere: to the engine, or into the buffer until it is open. */
  private get records(): boolean {
    return this.hasEngine && this.state !== 'off';
  }

  private add(json: string, event: boolean, unseen = false): boolean {
    if (json !== '') this.buffer.add(json, event, unseen);
    return json !== '';
  }

  /** Keeps a decision until the engine is open; undefined if it need not wait. */
  private later(subject: string, decide: () => unknown): true | undefined {
    if (!this.hasEngine || this.opened) return undefined;
    this.decided.set(subject, decide);
    return true;
  }

  /** What waits for the engine was recorded before the user was erased. */
  private forgetWaiting(): void {
    if (!this.opened) this.buffer.reset();
  }

  /** Erasing the user erases tags and contexts too; the bundle is still the same. */
  private retold<T>(answer: T): T {
    for (const change of this.aboutBundle?.all() ?? []) this.scope(change);
    return answer;
  }

  private drained(): Port {
    this.drain();
    return this.port;
  }

  /** The event with its id, after the hook. */
  private prepared(item: EventItem, hint: EventHint = {}): (EventItem & { id: string }) | undefined {
    if (!this.records) return undefined;
    if (item.kind === 'error' || item.kind === 'crash') {
      for (const change of this.aboutBundle?.news() ?? []) this.scope(change);
    }
    const event = { ...item, id: item.id ?? this.ids.event(this.clock.wallMs()) };
    const { event: hook } = this.hooks;
    const kept = this.hooked(hook && ((value: EventItem) => hook(value, hint)), event);
    return kept ? { ...kept, id: kept.id ?? event.id } : undefined;
  }

  /** An item from before the hooks were there, after them. Undefined if they drop it. */
  private seen(json: string): string | undefined {
    const item = readObject(json) as (Partial<BreadcrumbItem> & { id?: string }) | undefined;
    if (item?.breadcrumb !== undefined) {
      const breadcrumb = this.hooked(this.hooks.breadcrumb, item.breadcrumb);
      return breadcrumb && toJson({ ...item, breadcrumb });
    }
    const { event: hook } = this.hooks;
    const kept = this.hooked(hook && ((event: EventItem) => hook(event, {})), item as unknown as EventItem);
    return kept && toJson({ ...kept, id: kept.id ?? item?.id });
  }

  /** A hook that throws lets nothing through: what it would have removed is not known. */
  private hooked<T extends object>(hook: ((value: T) => T | null | undefined) | undefined, value: T): T | undefined {
    if (hook === undefined || this.inHook) return value;
    this.inHook = true;
    try {
      const kept = hook(value);
      if (typeof (kept as { then?: unknown } | null | undefined)?.then === 'function') {
        // Its rejection belongs to nobody else.
        Promise.resolve(kept).catch(() => undefined);
        say('beforeSend and beforeBreadcrumb must not be async: what they get is dropped');
      } else if (typeof kept === 'object' && kept !== null) return kept;
    } catch {
      // Counted below.
    } finally {
      this.inHook = false;
    }
    this.filtered += 1;
    return undefined;
  }
}
