/** The errors of the guide's app. */
import { describe } from '../core/json';

export enum ErrorSeverity {
  LOW = 'low',
  MEDIUM = 'medium',
  HIGH = 'high',
  CRITICAL = 'critical',
}

/** An error that the app knows: `code` selects the text for the user, `severity` the level at Sentry. */
export class AppError extends Error {
  constructor(
    message: string,
    public code: string,
    public severity: ErrorSeverity = ErrorSeverity.MEDIUM,
    // biome-ignore lint/suspicious/noExplicitAny: the guide's type; an app reads members of it without a cast
    public context?: Record<string, any>,
  ) {
    // `Error` throws where a value cannot be made a text.
    super(message === undefined || typeof message === 'string' ? message : describe(message));
    this.name = 'AppError';
  }
}

/** Whether it is one; also one of another copy of the package. */
export function isAppError(error: unknown): error is AppError {
  if (error instanceof AppError) return true;
  return error instanceof Error && error.name === 'AppError' && typeof (error as { code?: unknown }).code === 'string';
}
