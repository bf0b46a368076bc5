import { Alert } from 'react-native';
import { freshApp, HOSTILE } from '../../testing/app';
import { AppError, ErrorSeverity, handleError, handleNetworkError, onReport } from '..';
import { showAlert } from '../alert.web';

let app: ReturnType<typeof freshApp>;
let alert: jest.SpyInstance;
let error: jest.SpyInstance;
beforeEach(() => {
  app = freshApp();
  app.open();
  alert = jest.spyOn(Alert, 'alert').mockImplementation(() => undefined);
  error = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  alert.mockClear();
  error.mockClear();
});

const last = () => app.items().at(-1);

function thrownBy(run: () => never): AppError {
  try {
    return run();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AppError);
    return thrown as AppError;
  }
}

test('an AppError is an Error with a code, medium unless a severity is given', () => {
  const plain = new AppError('Bad', 'X');
  expect(plain).toBeInstanceOf(Error);
  expect([plain.name, plain.message, plain.code, plain.severity, plain.context]).toEqual([
    'AppError',
    'Bad',
    'X',
    'medium',
    undefined,
  ]);
});

test.each([
  [ErrorSeverity.LOW, 'error'],
  [ErrorSeverity.MEDIUM, 'error'],
  [ErrorSeverity.HIGH, 'error'],
  [ErrorSeverity.CRITICAL, 'fatal'],
])('severity %s has the level %s', (severity, level) => {
  handleError(new AppError('Payment processing failed', 'PAYMENT_ERROR', severity, { order_id: 'RZ-1042' }));
  expect(last()).toMatchObject({
    kind: 'error',
    type: 'AppError',
    message: 'Payment processing failed',
    level,
    code: 'PAYMENT_ERROR',
    severity,
    context: { order_id: 'RZ-1042' },
  });
});

test('any other error has the code UNKNOWN and is medium', () => {
  handleError(Object.assign(new TypeError('x'), { code: 'E_OWN' }), false);
  expect(last()).toMatchObject({ type: 'TypeError', code: 'UNKNOWN', severity: 'medium', level: 'error' });
  expect(error).toHaveBeenCalledWith('Error:', expect.any(TypeError));
});

test.each([
  [new AppError('x', 'NETWORK_ERROR'), 'Unable to connect. Please check your internet connection.'],
  [new AppError('x', 'AUTH_ERROR'), 'Authentication failed. Please log in again.'],
  [new AppError('x', 'PAYMENT_ERROR'), 'Payment processing failed. Please try again.'],
  [new AppError('own text', 'OTHER'), 'own text'],
  [new Error('secret'), 'An unexpected error occurred. Please try again.'],
])('the alert of %s says it', (thrown, text) => {
  handleError(thrown);
  expect(alert).toHaveBeenCalledWith('Error', text, [
    { text: 'OK' },
    { text: 'Report', onPress: expect.any(Function) },
  ]);
});

test('false shows no alert', () => {
  handleError(new Error('x'), false);
  expect(alert).not.toHaveBeenCalled();
});

test('Report opens the form for the event of the error', () => {
  const opened: string[] = [];
  const withdraw = onReport((id) => opened.push(id));
  handleError(new Error('x'));
  const press = () => (alert.mock.calls.at(-1)?.[2] as { onPress?: () => void }[] | undefined)?.[1]?.onPress?.();
  press();
  expect(opened).toEqual([app.port.items().at(-1)?.id]);
  withdraw();
  expect(press).not.toThrow();
  expect(opened).toHaveLength(1);
});

test('on a web page the alert is that of the window', () => {
  const shown: string[] = [];
  const scope = globalThis as { alert?: unknown };
  const before = scope.alert;
  scope.alert = (text: string) => shown.push(text);
  showAlert('Error', 'Try again.', []);
  scope.alert = undefined;
  showAlert('Error', 'No window.', []);
  scope.alert = before;
  expect(shown).toEqual(['Error\n\nTry again.']);
});

test.each([
  [401, 'Please log in to continue', 'AUTH_ERROR', 'medium'],
  [403, 'You do not have permission to perform this action', 'PERMISSION_ERROR', 'medium'],
  [404, 'Requested resource not found', 'NOT_FOUND_ERROR', 'low'],
  [500, 'Server error. Please try again later.', 'SERVER_ERROR', 'high'],
  [418, 'short and stout', 'API_ERROR', 'medium'],
])('status %i is %s', (status, message, code, severity) => {
  const data = { message: 'short and stout', big: 'x'.repeat(10_000) };
  const thrown = thrownBy(() => handleNetworkError({ response: { status, data } }));
  expect([thrown.message, thrown.code, thrown.severity]).toEqual([message, code, severity]);
  expect(thrown.context).toEqual({ status, data });
  expect(thrown.context?.data).toBe(data);
});

test('without a response it is a network error; without a message a request that failed', () => {
  const offline = thrownBy(() => handleNetworkError(new Error('ECONNREFUSED')));
  expect([offline.message, offline.code, offline.severity]).toEqual([
    'Network connection failed',
    'NETWORK_ERROR',
    'high',
  ]);
  expect(offline.context).toEqual({ originalError: 'ECONNREFUSED' });
  expect(thrownBy(() => handleNetworkError({ response: { status: 418 } })).message).toBe('Request failed');
});

test.each(['x', '"', '\\', 'é', '😀', '\n', '\ud800'])(
  'a context full of %j is recorded with at most 2 KiB, and not changed',
  (unit) => {
    const context = { status: 500, data: { text: unit.repeat(5_000), list: [unit.repeat(9)] }, after: 'kept' };
    const thrown = new AppError('x', 'SERVER_ERROR', ErrorSeverity.HIGH, context);
    handleError(thrown, false);
    const recorded = last()?.context as Record<string, unknown>;
    expect(Buffer.byteLength(JSON.stringify(recorded))).toBeLessThanOrEqual(2_048);
    expect(Buffer.byteLength(JSON.stringify(recorded))).toBeGreaterThan(1_000);
    expect(recorded.status).toBe(500);
    expect(thrown.context).toBe(context);
    expect(context.data.text).toHaveLength(unit.length * 5_000);
  },
);

test('a context that is cut keeps a member of the name `__proto__`', () => {
  const text = `{"__proto__": {"polluted": true}, "data": {"text": "${'x'.repeat(5_000)}"}}`;
  handleError(new AppError('x', 'X', ErrorSeverity.LOW, JSON.parse(text) as Record<string, unknown>), false);
  const recorded = last()?.context as Record<string, unknown>;
  expect(Object.keys(recorded)).toEqual(['__proto__', 'data']);
  expect(Object.getOwnPropertyDescriptor(recorded, '__proto__')?.value).toEqual({ polluted: true });
});

test('whatever is passed, only handleNetworkError throws, and always an AppError', () => {
  for (const one of HOSTILE as never[]) {
    expect(() => handleError(one)).not.toThrow();
    expect(() => handleError(new AppError('x', 'X', one, one))).not.toThrow();
    thrownBy(() => handleNetworkError(one));
    thrownBy(() => handleNetworkError({ response: one }));
  }
});
