/**
 * The one boundary between JavaScript and the engine.
 *
 * Primitives and JSON text only: the code that React Native generates from this file is then the same in all its versions. A
 * method that returns a value runs on the JavaScript thread, one that returns a promise on another: between the two kinds there is
 * no order. No method throws and no promise is rejected: what is wrong is in the answer.
 */
import type { TurboModule } from 'react-native';
import { TurboModuleRegistry } from 'react-native';

export interface Spec extends TurboModule {
  /**
   * Opens the engine, or joins the one that the native layer has opened: then only `destinations` of the settings is used. `settings`
   * is a JSON object as in `docs/guide/configure.md`; without `folder` the platform's own is used. `facts` is a JSON object as in
   * `docs/guide/device.md`, or empty. Returns `{"seed": "<32 hexadecimal digits>", "joined": false}`, or `{"error": "<sentence>"}`.
   */
  open(settings: string, facts: string): string;
  /** Records a document of `docs/guide/batch.md`. False: at least one event was refused, and counted. Do not record it again. */
  recordBatch(json: string): boolean;
  /** The same; the last event ends the process. Returns when it is on the disk, after 500 ms at most. */
  recordFatal(json: string): boolean;

  /** `monitoring` or `analytics`; `granted`, `denied` or `pending`. False: an unknown word, or no engine. */
  setConsent(purpose: string, consent: string): boolean;
  /** Erases everything recorded so far. */
  forgetUser(): boolean;
  /** For hosts without a native layer that observes the life cycle. A native layer ignores it. */
  setForeground(foreground: boolean): boolean;
  newSession(): boolean;
  /** A JSON object of `docs/guide/device.md`. A native layer adds it to what it knows itself. Returns an empty text, or what is wrong. */
  setFacts(json: string): string;
  /** Replaces the last known conditions: a JSON object of `docs/guide/device.md`. Returns an empty text, or what is wrong. */
  setConditions(json: string): string;
  /** The release of later events, after an update of the bundle. An empty `dist` is none. Returns an empty text, or what is wrong. */
  setRelease(release: string, dist: string): string;

  /** `settings`: a JSON object with `destinations`. `from`: `oldest` or `now`. Returns an empty text, or what is wrong. */
  addDestinations(settings: string, from: string): string;
  removeDestination(name: string): string;
  /** Also over restarts: what is recorded meanwhile is never sent there. */
  pauseDestination(name: string): string;
  resumeDestination(name: string): string;

  /** The trace headers of a request: a JSON object. `trace` is an object of `docs/guide/batch.md`. `{}` for a host that is no target. */
  traceHeaders(trace: string, url: string): string;
  /** `{"status": <as rezq status --json>, "lines": [<sentence>]}`; empty without an engine. */
  status(): string;
  /** The durations of this run: a list of `{"name", "last", "count", "p50", "p95", "p99"}` in microseconds. */
  metrics(): string;
  clearMetrics(): boolean;
  /** What the engine has to say to a developer since the last call: a list of `{"level", "code", "text"}`, at most 100. */
  takeLog(): string;

  /** Waits until everything recorded so far is on the disk. Resolves to an empty text, or to what is wrong. */
  persist(waitMs: number): Promise<string>;
  /** `{"destinations": [{"destination", "delivered", "left", "held", "text"}]}` or `{"error": "<sentence>"}`. */
  flush(waitMs: number): Promise<string>;
  /** What became of an event, as `rezq why --json`, or `{"error": "<sentence>"}`. */
  why(id: string, waitMs: number): Promise<string>;
  /**
   * A question or an order of the inspector: a JSON object with `ask` (`list`, `show`, `why`, `status`) or `tell` (`send_now`, `mark`,
   * `fault`), see `src/inspector/client.ts`. Resolves to a JSON object; what is wrong is `{"error": "<sentence>"}`.
   */
  inspect(request: string, waitMs: number): Promise<string>;
  /**
   * How the run before this one ended: `{"ended": "crashed", "crash": {"id", "type", "mechanism", "at_ms", "since_start_ms",
   * "support_code"}}`, `null` if there was none, or `{"error": "<sentence>"}`.
   */
  lastRun(waitMs: number): Promise<string>;
  /**
   * Ends the process, for a developer: `exception` (of the platform, on its main thread), `fault`, `abort` or `panic`. Returns what is
   * wrong; for `exception` an empty text, a moment before the end.
   */
  testCrash(kind: string): string;
  /** Ends the session, sends what it can, and closes. Resolves to an empty text. */
  close(waitMs: number): Promise<string>;
}

/** Null where the native side is missing: Expo Go, jest, a web page. */
export default TurboModuleRegistry.get<Spec>('RezMonitor');
