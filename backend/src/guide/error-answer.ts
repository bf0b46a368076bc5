/** How an error is answered: the errors of mongoose, jsonwebtoken, http-errors and the app have a status, all others are 500. */
import { STATUS_CODES } from 'node:http';
import { isRecord } from '../../../react-native/src/core/guard';
import { read, readText } from '../../../react-native/src/core/read';
import { describe } from '../../../react-native/src/errors/describe';
import { cutText, limits } from '../../../react-native/src/errors/limits';
import { DUPLICATE_KEY } from '../drivers/mongodb-codes';

export interface ErrorAnswer {
  /** At most 8 KiB, as an error that is recorded has it. */
  message: string;
  /** 400 to 599. */
  statusCode: number;
  code: string;
  /** Whether it belongs to normal operation: it is logged and not recorded. */
  isOperational: boolean;
  /** Headers of the answer that the error asks for: `Retry-After`. */
  headers?: Readonly<Record<string, unknown>>;
}

/** Errors that are known by their name. */
const NAMED: Readonly<Record<string, readonly [message: string, statusCode: number, code: string]>> = {
  ValidationError: ['Validation failed', 400, 'VALIDATION_ERROR'],
  JsonWebTokenError: ['Invalid token', 401, 'AUTH_ERROR'],
  TokenExpiredError: ['Token expired', 401, 'TOKEN_EXPIRED'],
};

/** What the MongoDB drivers call the error of a unique index: version 4 and later, version 3, and bulk writes of each. */
const MONGO = ['MongoServerError', 'MongoError', 'BulkWriteError', 'MongoBulkWriteError'];

const BAD_PARAMETER = 'Failed to decode param';

/** The answer to an error, whatever was thrown. Never throws. */
export function answerTo(thrown: unknown): ErrorAnswer {
  const name = readText(thrown, 'name');
  const named = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined;
  if (named) return operational(...named);
  if (MONGO.includes(name) && read(thrown, 'code') === DUPLICATE_KEY) {
    return operational('Duplicate entry', 409, 'DUPLICATE_ERROR');
  }
  return ofApp(thrown) ?? ofHttpErrors(thrown) ?? ofPath(thrown) ?? unexpected(describe(thrown).message);
}

function operational(message: string, statusCode: number, code: string): ErrorAnswer {
  return { message: cutText(message, limits.message), statusCode, code, isOperational: true };
}

function unexpected(message: string, statusCode = 500, code = 'INTERNAL_ERROR'): ErrorAnswer {
  return { message: cutText(message, limits.message), statusCode, code, isOperational: false };
}

/** An `AppError`: by its members, so that one of another copy of the package, and the class of the guide itself, count too. */
function ofApp(thrown: unknown): ErrorAnswer | undefined {
  const isOperational = read(thrown, 'isOperational');
  const statusCode = read(thrown, 'statusCode');
  if (typeof isOperational !== 'boolean' || typeof statusCode !== 'number') return undefined;
  return {
    message: cutText(describe(thrown).message, limits.message),
    statusCode: isErrorStatus(statusCode) ? statusCode : 500,
    code: cutText(readText(thrown, 'code'), limits.name) || 'INTERNAL_ERROR',
    isOperational,
  };
}

/**
 * An error of `http-errors`, as body parsers throw it: `expose` says whether the client may read the message. Without `expose` a
 * `status` is often that of another server, as axios has it, and says nothing about this answer.
 */
function ofHttpErrors(thrown: unknown): ErrorAnswer | undefined {
  const expose = read(thrown, 'expose');
  const status = read(thrown, 'status') ?? read(thrown, 'statusCode');
  if (!isRecord(thrown) || typeof expose !== 'boolean' || !isErrorStatus(status)) return undefined;
  const text = STATUS_CODES[status] ?? 'Error';
  const code = status === 500 ? 'INTERNAL_ERROR' : text.toUpperCase().replace(/[^A-Z]+/g, '_');
  const message = expose ? describe(thrown).message : text;
  const headers = read(thrown, 'headers');
  return {
    ...(status < 500 ? operational(message, status, code) : unexpected(message, status, code)),
    ...(isRecord(headers) && { headers }),
  };
}

/**
 * Express throws a `URIError` with a status for a parameter of the path that is not encoded correctly. Its message holds what the client
 * has sent, and is replaced.
 */
function ofPath(thrown: unknown): ErrorAnswer | undefined {
  const status = read(thrown, 'status');
  const isPath = readText(thrown, 'name') === 'URIError' && readText(thrown, 'message').startsWith(BAD_PARAMETER);
  if (!isPath || !isErrorStatus(status) || status >= 500) return undefined;
  return operational(BAD_PARAMETER, status, 'BAD_REQUEST');
}

function isErrorStatus(status: unknown): status is number {
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) <= 599;
}
