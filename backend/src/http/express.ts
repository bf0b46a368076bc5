/**
 * What the package needs of a request, a response and an application: members that Express 4, Express 5 and Connect share.
 *
 * Express itself is never imported, so that its version is the app's business. Each member may be missing, because a request that fails
 * early has few of them.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** A request of Express, or of Node.js itself. */
export interface RequestLike {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers?: IncomingHttpHeaders;
  /** The URL before a router took its path off. */
  readonly originalUrl?: string;
  /** The path under which the router is mounted. */
  readonly baseUrl?: string;
  readonly route?: unknown;
  readonly ip?: string | undefined;
  readonly body?: unknown;
}

/** A response of Express. */
export interface ResponseLike {
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  setHeader?(name: string, value: string): unknown;
  status(code: number): { json(body: unknown): unknown };
}

/** Goes on to the next handler, or with an error to the next error handler. */
export type Next = (error?: unknown) => void;

export type RequestHandler = (request: RequestLike, response: unknown, next: Next) => void;

export type ErrorHandler = (error: unknown, request: RequestLike, response: ResponseLike, next: Next) => void;

/** An application or a router. */
export interface AppLike {
  // biome-ignore lint/suspicious/noExplicitAny: `use` has a dozen overloads, which differ between Express 4 and 5.
  use(...handlers: any[]): unknown;
}
