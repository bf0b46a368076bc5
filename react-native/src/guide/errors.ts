/** `frontend/utils/errorHandler.ts` of the guide: `handleError`. */
import { captureException } from '../api/capture';
import { isDevelopment } from '../core/development';
import { guarded, isRecord, quietly } from '../core/guard';
import { toJson } from '../core/json';
import { openReport } from '../core/report';
import { cutText, encodedBytes } from '../errors/limits';
import { showFeedback } from '../feedback/show';
import { showAlert } from './alert';
import { type AppError, ErrorSeverity, isAppError } from './app-error';

/** Bytes of a context that are recorded. The context of the error itself is not changed. */
const CONTEXT_BYTES = 2_048;

/** Records the error, and tells the user unless `showAlert` is false. Only an `AppError` of the severity `CRITICAL` is fatal. */
export function handleError(error: Error | AppError, showsAlert: boolean = true): void {
  if (isDevelopment()) quietly(() => console.error('Error:', error));
  const eventId = guarded('', () => record(error));
  if (!showsAlert) return;
  quietly(() => {
    showAlert('Error', friendlyMessage(error), [{ text: 'OK' }, { text: 'Report', onPress: () => report(eventId) }]);
  });
}

function record(error: Error | AppError): string {
  if (!isAppError(error)) return captureException(error, { level: 'error', code: 'UNKNOWN', severity: 'medium' });
  const { code, severity, context } = error;
  return captureException(error, {
    level: severity === ErrorSeverity.CRITICAL ? 'fatal' : 'error',
    code,
    severity,
    ...(isRecord(context) && { context: recorded(context) }),
  });
}

function friendlyMessage(error: Error | AppError): string {
  if (!isAppError(error)) return 'An unexpected error occurred. Please try again.';
  switch (error.code) {
    case 'NETWORK_ERROR':
      return 'Unable to connect. Please check your internet connection.';
    case 'AUTH_ERROR':
      return 'Authentication failed. Please log in again.';
    case 'PAYMENT_ERROR':
      return 'Payment processing failed. Please try again.';
    default:
      return error.message;
  }
}

/** The app's own form, else that of this package. */
function report(eventId: string): void {
  quietly(() => {
    if (!openReport(eventId)) showFeedback({ eventId });
  });
}

/** A copy of at most `CONTEXT_BYTES` of JSON. A member that does not fit becomes the beginning of its text; the server is asked once. */
function recorded(context: Record<string, unknown>): Record<string, unknown> {
  const plain = JSON.parse(toJson(context)) as Record<string, unknown>;
  if (encodedBytes(plain) <= CONTEXT_BYTES) return plain;
  // A list, since `out['__proto__'] = value` would change an object instead.
  const kept: [name: string, value: unknown][] = [];
  for (const [name, value] of Object.entries(plain)) {
    const left = CONTEXT_BYTES - encodedBytes(Object.fromEntries(kept));
    const own = encodedBytes({ [name]: value });
    if (own <= left) kept.push([name, value]);
    else {
      // Quotes, colon, comma and an ellipsis, and quotes inside the text are written as two bytes.
      const room = left - encodedBytes({ [name]: '' }) - 8;
      if (room > 0) kept.push([name, cutText(typeof value === 'string' ? value : JSON.stringify(value), room)]);
    }
  }
  return Object.fromEntries(kept);
}
