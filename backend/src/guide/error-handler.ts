/** The error handlers of an Express app, 4 or 5. */
import { guarded, recordOf } from '../../../react-native/src/core/guard';
import { describe } from '../../../react-native/src/core/json';
import { read, readText } from '../../../react-native/src/core/read';
import { cutText, limits } from '../../../react-native/src/errors/limits';
import { logger } from '../core/logger';
import type { ErrorHandler, Next, RequestLike, ResponseLike } from '../http/express';
import { captureRequestError } from '../http/request-error';
import { ifAllowed } from '../http/request-privacy';
import { userOf } from '../http/request-user';
import { urlForLog } from '../http/url';
import { AppError } from './app-error';
import { answerTo, type ErrorAnswer } from './error-answer';

export interface ErrorHandlerOptions {
  /** What a client is told instead of the message of an error that is not operational. Default: the message, as in the guide. */
  internalMessage?: string;
}

/**
 * Makes an error handler that logs each error, records those that are not operational, and answers
 * `{ success: false, error: { message, code } }`, with `stack` if `NODE_ENV` is `development`.
 *
 * It stands after all routes. If the answer has begun, the error goes on to Express, which ends the connection; if it has ended, there
 * is nothing to answer. If `response.status` or `response.json` throws, the error goes on to Express, which answers.
 */
export function createErrorHandler(options: ErrorHandlerOptions = {}): ErrorHandler {
  const { internalMessage } = recordOf(options);
  // Express knows an error handler by its four parameters.
  return (error, request, response, next) => {
    const answer = answerTo(error);
    const stack = cutText(readText(error, 'stack'), limits.stack) || undefined;
    writeLine(answer, stack, request);
    if (!answer.isOperational) captureRequestError(error, request, answer.statusCode);
    if (response.writableEnded) return;
    if (response.headersSent) {
      next(error);
      return;
    }
    const message = answer.isOperational ? answer.message : (internalMessage ?? answer.message);
    const isSent = send(response, answer, message, stack);
    // Without an answer of anybody the client would wait until it gives up.
    if (!isSent && !response.headersSent) next(error);
  };
}

/** The error handler of the guide. */
export const errorHandler: ErrorHandler = createErrorHandler();

/**
 * Passes what a handler throws, or rejects with, to the error handlers. Express 5 does so itself; Express 4 does not wait for a promise.
 * A rejection with `undefined`, `null` or another value that Express takes for success becomes an error.
 */
// biome-ignore lint/suspicious/noExplicitAny: the types of the parameters are those of the app's Express.
export function asyncHandler<H extends (request: any, response: any, next: any) => unknown>(handler: H): H {
  const wrapped = (request: unknown, response: unknown, next: Next): void => {
    new Promise((resolve) => resolve(handler(request, response, next))).catch((error) => {
      try {
        next(error || new Error(`The handler was rejected with ${describe(error) || 'an empty text'}.`));
      } catch (failure) {
        logger.error('[rez] an error handler has failed', { error: describe(failure) });
      }
    });
  };
  return wrapped as unknown as H;
}

/** Answers what no route took: an `AppError` with status 404 for the error handler. It stands between the routes and that. */
export function notFoundHandler(request: RequestLike, _response: unknown, next: Next): void {
  const words = ['Route', urlForLog(request), 'not found'];
  next(new AppError(words.filter((word) => word !== undefined).join(' '), 404, 'NOT_FOUND'));
}

function writeLine({ message, code, statusCode }: ErrorAnswer, stack: string | undefined, request: RequestLike): void {
  logger.error('Error occurred', {
    error: message,
    stack,
    code,
    statusCode,
    url: urlForLog(request),
    method: ifAllowed('request.method', read(request, 'method')),
    ip: ifAllowed('request.ip', read(request, 'ip')),
    userId: userOf(request)?.id,
  });
}

/** Returns whether the response took the answer: one that the app has changed may throw. */
function send(
  response: ResponseLike,
  { statusCode, code, headers }: ErrorAnswer,
  message: string,
  stack: string | undefined,
): boolean {
  const inDevelopment = process.env.NODE_ENV === 'development';
  return guarded(false, () => {
    setHeaders(response, headers ?? {});
    response.status(statusCode).json({ success: false, error: { message, code, ...(inDevelopment && { stack }) } });
    return true;
  });
}

/** Headers that say how the answer is made. */
const OWN = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'trailer',
]);

/** Headers of an error that are set. */
const MAX_HEADERS = 32;

/** Sets headers that the error asks for. One that is invalid is left out. */
function setHeaders(response: ResponseLike, headers: Readonly<Record<string, unknown>>): void {
  const names = guarded<string[]>([], () => Object.keys(headers)).slice(0, MAX_HEADERS);
  for (const name of names) {
    const value = read(headers, name);
    if (OWN.has(name.toLowerCase()) || (typeof value !== 'string' && typeof value !== 'number')) continue;
    guarded(undefined, () => response.setHeader?.(name, String(value)));
  }
}
