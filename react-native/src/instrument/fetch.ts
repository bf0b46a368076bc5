/** Requests by `fetch`: the global one, `expo/fetch` where it is the global one, and any that `wrapFetch` gets. */
import type { ApiCall } from '../api/timing';
import { quietly } from '../core/guard';
import { describe } from '../core/json';
import { begin, bodyBytes, contentLength, fetches, leaveBreadcrumb, type Running, ran, runs } from './requests';
import { observes, replace, type Source } from './source';

type Fetch = (input: unknown, init?: RequestInit) => Promise<Response>;

/** What this file reads of an argument or a response. Other implementations than the browser's have less. */
interface Message {
  method?: unknown;
  url?: unknown;
  status?: unknown;
  headers?: { get?: (name: string) => string | null; has?: (name: string) => boolean };
}

/** Records what the global `fetch` does. */
export const fetchRequests: Source = () => {
  const scope = globalThis as { fetch?: Fetch };
  if (typeof scope.fetch !== 'function') return 'fetch: this platform has none';
  return replace(scope as { fetch: Fetch }, 'fetch', (before, on) => recording(before, on));
};

/**
 * A `fetch` that records: for one that is imported instead of global, such as that of `expo/fetch`.
 *
 * ```ts
 * import { fetch as expoFetch } from 'expo/fetch';
 * const fetch = wrapFetch(expoFetch);
 * ```
 *
 * Records from `init` to `close`, unless the setting `network` is off. What is no function is returned as it is.
 */
export function wrapFetch<F extends (...args: never[]) => Promise<unknown>>(fetch: F): F {
  if (typeof fetch !== 'function') return fetch;
  return recording(fetch as unknown as Fetch, () => observes('network')) as unknown as F;
}

function recording(before: Fetch, on: () => boolean): Fetch {
  const ours = function (this: unknown, input: unknown, init?: RequestInit): Promise<Response> {
    const state = fetches();
    const call = state.depth === 0 && on() ? started(input, init) : undefined;
    const around = state.current;
    if (call) state.current = call.running;
    state.depth += 1;
    let response: Promise<Response>;
    try {
      response = before.call(this, input, call?.init ?? init);
    } catch (error) {
      call?.ended(undefined, error);
      throw error;
    } finally {
      state.depth -= 1;
      state.current = around;
    }
    if (!call) return response;
    if (typeof (response as unknown as PromiseLike<Response> | undefined)?.then !== 'function') {
      call.ended(response as unknown as Message, undefined);
      return response;
    }
    // The app gets the promise behind ours. With the one before, an error that the app does not handle would pass for handled.
    return response.then(
      (answer) => {
        call.ended(answer as Message, undefined);
        return answer;
      },
      (error: unknown) => {
        call.ended(undefined, error);
        throw error;
      },
    );
  };
  quietly(() => {
    // Expo marks its own `fetch`, and other libraries ask for the mark.
    for (const mark of Object.getOwnPropertySymbols(before)) {
      Object.defineProperty(ours, mark, Object.getOwnPropertyDescriptor(before, mark) ?? {});
    }
  });
  return ours;
}

interface Started {
  init: RequestInit | undefined;
  running: Running;
  ended(answer: Message | undefined, error: unknown): void;
}

function started(input: unknown, init: RequestInit | undefined): Started | undefined {
  try {
    const request = typeof input === 'object' && input !== null && 'url' in input ? (input as Message) : undefined;
    const url = request?.url ?? input;
    const method = init?.method ?? request?.method ?? 'GET';
    const call = begin(method, url);
    if (call === undefined) return undefined;
    const headed = withHeaders(call, request, init);
    const running = runs(method, url);
    return {
      init: headed,
      running,
      ended: (answer, error) => {
        ran(running);
        ended(call, { method, url, body: init?.body, answer, error });
      },
    };
  } catch {
    return undefined;
  }
}

function ended(
  call: ApiCall,
  of: { method: unknown; url: unknown; body: unknown; answer: Message | undefined; error: unknown },
): void {
  try {
    const status = typeof of.answer?.status === 'number' ? of.answer.status : undefined;
    const requestBytes = bodyBytes(of.body);
    const responseBytes = contentLength(of.answer?.headers?.get?.('content-length'));
    // An abort is the app's own decision, no failure of the network.
    const aborted = (of.error as { name?: unknown } | undefined)?.name === 'AbortError';
    call.finish({
      ...(status !== undefined && { status }),
      ...(status === undefined && { error: aborted ? 'cancelled' : describe(of.error) }),
      ...(requestBytes !== undefined && { requestBytes }),
      ...(responseBytes !== undefined && { responseBytes }),
    });
    leaveBreadcrumb(of.method, of.url, status);
  } catch {
    // The app has its response.
  }
}

/** The arguments with the trace headers of an allowed target. A header that the app has set stays. */
function withHeaders(
  call: ApiCall,
  request: Message | undefined,
  init: RequestInit | undefined,
): RequestInit | undefined {
  const ours = Object.entries(call.headers());
  if (ours.length === 0) return init;
  const scope = globalThis as {
    Headers?: new (from?: unknown) => { has(name: string): boolean; set(name: string, value: string): void };
  };
  const given: unknown = init?.headers ?? request?.headers;
  if (scope.Headers) {
    const headers = new scope.Headers(given ?? undefined);
    for (const [name, value] of ours) if (!headers.has(name)) headers.set(name, value);
    return { ...init, headers: headers as unknown as NonNullable<RequestInit['headers']> };
  }
  const plain = (given ?? {}) as Record<string, string>;
  const names = new Set(Object.keys(plain).map((name) => name.toLowerCase()));
  const added = Object.fromEntries(ours.filter(([name]) => !names.has(name.toLowerCase())));
  return { ...init, headers: { ...plain, ...added } };
}
