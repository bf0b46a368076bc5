/** An error that the app expects: what the client is told, and whether it is worth an event. */
export class AppError extends Error {
  /** The status of the answer, 400 to 599. Any other number is answered as 500. */
  readonly statusCode: number;
  /** What a client can branch on: `NOT_FOUND`. */
  readonly code: string;
  /** True: it belongs to normal operation, and is logged. False: it is recorded as an error, too. */
  readonly isOperational: boolean;

  constructor(message: string, statusCode = 500, code = 'INTERNAL_ERROR', isOperational = true) {
    super(message);
    this.name = 'AppError';
    this.statusCode = statusCode;
    this.code = code;
    this.isOperational = isOperational;
    Error.captureStackTrace(this, this.constructor);
  }
}
