/** The guide's Sentry on Express: the destination, uncaught exceptions, the context of each request, and an error handler. */

import { members } from '../../../react-native/src/api/members';
import type { Hooks } from '../../../react-native/src/core/client';
import { defined } from '../../../react-native/src/core/guard';
import { read } from '../../../react-native/src/core/read';
import { warnOnce } from '../core/logger';
import { addDestination, client, init } from '../core/monitor';
import type { AppLike, ErrorHandler } from '../http/express';
import { requestContextHandler } from '../http/request-context';
import { captureRequestError } from '../http/request-error';
import { answerTo } from './error-answer';
import { checkedHook } from './hooks';

/** Every member is optional. */
export interface SentryOptions {
  /** Default: `SENTRY_DSN`. */
  dsn?: string;
  /** Default: `REZ_ENVIRONMENT`, else `NODE_ENV`. Of no effect after `init`. */
  environment?: string;
  /** Default: name and version of the app's `package.json`. Of no effect after `init`. */
  release?: string;
  /** Share of the traces whose spans are sent to Sentry, 0 to 1. Default: 1. */
  tracesSampleRate?: number;
  /**
   * Changes an event before it is stored, or drops it by returning null. It gets an item of the queue, not an event of Sentry. What it gets
   * is dropped too, with a line of the log, if it throws or is async.
   */
  beforeSend?: NonNullable<Hooks['event']>;
  /** The same for breadcrumbs. */
  beforeBreadcrumb?: NonNullable<Hooks['breadcrumb']>;
}

/**
 * Sends errors to Sentry, those that end the process too, and opens the context of each request of `app`. Call it before other middleware is
 * added: on a server whose requests Node.js does not publish (HTTP/2) middleware that stands before it has no context.
 *
 * Without a DSN everything else works, and one line of the log says so.
 */
export function initSentry(app?: AppLike, options: SentryOptions = {}): void {
  const { dsn, beforeSend, beforeBreadcrumb, ...rest } = members(
    options,
    ...(['dsn', 'environment', 'release', 'tracesSampleRate', 'beforeSend', 'beforeBreadcrumb'] as const),
  );
  const { tracesSampleRate, ...about } = rest;
  init(about);
  // The hooks of a client are its own members: a hook that is not given stays.
  const event = checkedHook('beforeSend', beforeSend);
  const breadcrumb = checkedHook('beforeBreadcrumb', beforeBreadcrumb);
  Object.assign(client().hooks, defined({ event, breadcrumb }));
  const key = dsn || process.env.SENTRY_DSN;
  if (key) addDestination({ name: 'sentry', kind: 'sentry', dsn: key, ...defined({ tracesSampleRate }) });
  else {
    warnOnce(
      'initSentry: SENTRY_DSN is not set: errors are stored and are not sent to Sentry. Set it to the DSN of the project.',
    );
  }
  if (app != null) use(app, 'initSentry', requestContextHandler);
}

/**
 * Adds an error handler that records errors which are answered with 500 or more, and passes each error on. It stands after the routes and
 * before other error handlers.
 *
 * Errors that `errorHandler` answers with 400 to 499 are not recorded: those of mongoose's validation, for example.
 */
export function sentryErrorHandler(app: AppLike): void {
  use(app, 'sentryErrorHandler', recordServerError);
}

const recordServerError: ErrorHandler = (error, request, _response, next) => {
  const { statusCode } = answerTo(error);
  if (statusCode >= 500) captureRequestError(error, request, statusCode);
  next(error);
};

function use(app: AppLike, caller: string, handler: unknown): void {
  if (typeof read(app, 'use') === 'function') app.use(handler);
  else warnOnce(`${caller}: the first argument has no method \`use\`: pass the Express app.`);
}
