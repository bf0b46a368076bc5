/** `frontend/utils/errorHandler.ts` of the guide: `handleNetworkError`. */
import { describe } from '../core/json';
import { isObject, read } from '../core/read';
import { AppError, ErrorSeverity } from './app-error';

const BY_STATUS: Record<number, readonly [message: string, code: string, severity: ErrorSeverity]> = {
  401: ['Please log in to continue', 'AUTH_ERROR', ErrorSeverity.MEDIUM],
  403: ['You do not have permission to perform this action', 'PERMISSION_ERROR', ErrorSeverity.MEDIUM],
  404: ['Requested resource not found', 'NOT_FOUND_ERROR', ErrorSeverity.LOW],
  500: ['Server error. Please try again later.', 'SERVER_ERROR', ErrorSeverity.HIGH],
};

/**
 * Turns an error of an HTTP client into an `AppError`, and throws it: the only call of this package that throws. Status and data of the
 * response are its context, as they are.
 *
 * @throws {AppError} always
 */
export function handleNetworkError(error: unknown): never {
  const response = read(error, 'response');
  if (!response) {
    throw new AppError('Network connection failed', 'NETWORK_ERROR', ErrorSeverity.HIGH, {
      originalError: read(error, 'message'),
    });
  }
  const status = read(response, 'status');
  const data = read(response, 'data');
  const known = typeof status === 'number' ? BY_STATUS[status] : undefined;
  if (known) throw new AppError(...known, { status, data });
  const message = isObject(data) ? read(data, 'message') : undefined;
  throw new AppError(message ? describe(message) : 'Request failed', 'API_ERROR', ErrorSeverity.MEDIUM, {
    status,
    data,
  });
}
