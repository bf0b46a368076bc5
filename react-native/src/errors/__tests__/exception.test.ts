import { errorItem } from '../exception';
import { encodedBytes, limits } from '../limits';

/** An error with a fixed stack. */
function errorWith(message: string, stack: string, members: object = {}): Error {
  return Object.assign(new Error(message), { stack }, members);
}

describe('an error', () => {
  test('becomes type, message and frames', () => {
    const error = new TypeError('undefined is not a function');
    error.stack = 'TypeError: undefined is not a function\n    at pay (address at index.android.bundle:1:90417)';
    expect(errorItem(error)).toEqual({
      kind: 'error',
      type: 'TypeError',
      message: 'undefined is not a function',
      language: 'javascript',
      frames: [{ function: 'pay', file: 'app:///index.android.bundle', line: 1, column: 90_417, in_app: true }],
    });
  });

  test('carries what the caller knows', () => {
    const options = {
      id: '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11',
      at_ms: 5,
      level: 'fatal',
      severity: 'critical',
      handled: false,
      mechanism: 'onerror',
      code: 'PAY',
      fingerprint: ['{{ default }}', 'pay'],
      attrs: { a: 1 },
      targets: ['sentry'],
      tags: { store: 'pune' },
      user: { id: 'u' },
      trace: { trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16) },
      context: { cart: { items: 2 } },
    } as const;
    expect(errorItem(errorWith('m', ''), options)).toEqual({
      ...options,
      kind: 'error',
      type: 'Error',
      message: 'm',
      language: 'javascript',
    });
  });

  test('whose stack cannot be parsed keeps it as a text', () => {
    const item = errorItem(errorWith('m', 'Error: m\n  cart.lua:12: in total'));
    expect(item.stack).toBe('Error: m\n  cart.lua:12: in total');
    expect(item.frames).toBeUndefined();
  });

  test('whose stack is only its title has none', () => {
    expect(errorItem(errorWith('m', 'Error: m'))).not.toHaveProperty('stack');
    expect(errorItem(errorWith('', 'Error'))).not.toHaveProperty('stack');
    expect(errorItem(errorWith('a\nb', 'Error: a\nb'))).not.toHaveProperty('stack');
  });

  test('without a stack takes that of the call that reports', () => {
    const options = { stack: 'Error\n    at report (a.js:1:2)' };
    expect(errorItem(errorWith('m', ''), options).frames?.[0]?.function).toBe('report');
    expect(errorItem('text', options).frames?.[0]?.function).toBe('report');
    expect(errorItem(errorWith('m', '    at own (a.js:1:2)'), options).frames?.[0]?.function).toBe('own');
  });

  test('has its own code, as a text', () => {
    expect(errorItem(errorWith('m', '', { code: 'E_PAY' })).code).toBe('E_PAY');
    expect(errorItem(errorWith('m', '', { code: 42 })).code).toBe('42');
    expect(errorItem(errorWith('m', '', { code: {} })).code).toBeUndefined();
    expect(errorItem(errorWith('m', '', { code: 'own' }), { code: 'given' }).code).toBe('given');
  });

  test('with a message that is no text still has one', () => {
    expect(errorItem(errorWith('', '', { message: 404 })).message).toBe('404');
    expect(errorItem(errorWith('', '', { message: { b: 1, a: 2 } })).message).toContain('a, b');
    expect(errorItem(errorWith('', '', { message: undefined })).message).toBe('');
  });
});

describe('the frames in which Babel makes an error', () => {
  const made = [
    '    at construct (native)',
    '    at apply (native)',
    '    at _construct (address at main.jsbundle:1:2633)',
    '    at Wrapper (address at main.jsbundle:1:2493)',
    '    at construct (native)',
    '    at _callSuper (address at main.jsbundle:1:1848)',
    '    at AppError (address at main.jsbundle:1:1900)',
    '    at _callSuper (address at main.jsbundle:1:1848)',
    '    at PaymentError (address at main.jsbundle:1:14839)',
  ];
  class AppError extends Error {}
  class PaymentError extends AppError {}

  function functionsOf(error: Error, lines: string[]): (string | undefined)[] {
    const stack = ['Error: m', ...lines].join('\n');
    return (errorItem(Object.assign(error, { stack })).frames ?? []).map((frame) => frame.function);
  }

  test('are left out, so that the innermost frame is the place that threw', () => {
    const lines = [
      ...made,
      '    at pay (address at main.jsbundle:1:3068)',
      '    at global (address at main.jsbundle:1:585)',
    ];
    expect(functionsOf(new PaymentError('m'), lines)).toEqual(['global', 'pay']);
    const outer = new Error('m');
    Object.assign(outer, { stack: '', cause: new PaymentError('m') });
    Object.assign((outer as { cause?: object }).cause ?? {}, { stack: lines.join('\n') });
    expect(errorItem(outer).causes?.[0]?.frames?.map((frame) => frame.function)).toEqual(['global', 'pay']);
  });

  test("are kept if nothing else is there, and if they are the app's own", () => {
    expect(functionsOf(new PaymentError('m'), made)).toHaveLength(9);
    const own = ['    at apply (a.js:1:2)', '    at PaymentError (a.js:1:2)', '    at pay (a.js:1:2)'];
    expect(functionsOf(new PaymentError('m'), own)).toEqual(['pay', 'PaymentError', 'apply']);
  });
});

describe('the type', () => {
  test('is the name that the app has set', () => {
    class PaymentError extends Error {
      override name = 'CardError';
    }
    expect(errorItem(new PaymentError('m')).type).toBe('CardError');
    expect(errorItem(Object.assign(new Error('m'), { name: 'TypeError' })).type).toBe('TypeError');
  });

  test('is the class where the name is inherited', () => {
    class PaymentError extends TypeError {}
    expect(new PaymentError('m').name).toBe('TypeError');
    expect(errorItem(new PaymentError('m')).type).toBe('PaymentError');
  });

  test('of a subclass without the wrapper of Babel is the name of the built-in class', () => {
    function PaymentError(message: string): Error {
      return new Error(message);
    }
    PaymentError.prototype = Object.create(Error.prototype);
    expect(errorItem(PaymentError('m')).type).toBe('Error');
  });

  test('is not a minified class', () => {
    class t extends Error {}
    class Xe extends RangeError {}
    class n extends t {
      override name = 'CardError';
    }
    class o extends t {
      override name = this.constructor.name;
    }
    expect(errorItem(new t('m')).type).toBe('Error');
    expect(errorItem(new Xe('m')).type).toBe('RangeError');
    expect(errorItem(new n('m')).type).toBe('CardError');
    expect(errorItem(new o('m')).type).toBe('Error');
  });

  test('of an error that is none by class is its name', () => {
    expect(errorItem({ name: 'HttpError', message: 'no', stack: '' }).type).toBe('HttpError');
    expect(errorItem({ name: '', message: 'no', stack: '' }).type).toBe('Error');
    expect(errorItem(new DOMException('stopped', 'AbortError'))).toMatchObject({
      type: 'AbortError',
      message: 'stopped',
    });
    expect(errorItem(new DOMException('stopped', 'AbortError')).code).toBeUndefined();
  });
});

describe('what is no error', () => {
  class Ticket {
    seat = 4;
  }
  test.each<[string, unknown, string, string]>([
    ['text', 'card declined', 'NonError', 'card declined'],
    ['undefined', undefined, 'NonError', 'undefined'],
    ['null', null, 'NonError', 'null'],
    ['a number', 42, 'NonError', '42'],
    ['NaN', Number.NaN, 'NonError', 'NaN'],
    ['a truth value', false, 'NonError', 'false'],
    ['a BigInt', BigInt(10), 'NonError', '10n'],
    ['a symbol', Symbol('s'), 'NonError', 'Symbol(s)'],
    ['a function', function pay() {}, 'NonError', 'function pay'],
    ['a plain object', { b: 'secret', a: 2 }, 'Object', 'An object with the members a, b was thrown.'],
    ['an empty object', {}, 'Object', 'An object without members was thrown.'],
    ['an object without prototype', Object.create(null), 'Object', 'An object without members was thrown.'],
    ['an object with a message', { message: 'no', status: 1 }, 'Object', 'no'],
    ['an instance', new Ticket(), 'Ticket', 'An object with the members seat was thrown.'],
    ['a list', [1, 2], 'Array', 'An array of 2 elements was thrown.'],
    ['a promise', Promise.resolve(), 'Promise', 'A promise was thrown.'],
    // biome-ignore lint/suspicious/noThenProperty: a thenable is the test.
    ['a thenable', { then() {} }, 'Object', 'A promise was thrown.'],
  ])('%s has a type and a message', (_, thrown, type, message) => {
    expect(errorItem(thrown)).toEqual({ kind: 'error', type, message, language: 'javascript' });
  });

  test('shows twenty names of members and how many more there are', () => {
    const wide = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`k${at}`.repeat(50), at]));
    const { message } = errorItem(wide);
    expect(message).toContain('and 4980 more');
    expect(message.length).toBeLessThan(1500);
  });

  test('that refuses everything is recorded', () => {
    const refuse = () => {
      throw new Error('refused');
    };
    const handler = new Proxy({}, { get: () => refuse });
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const thrown of [new Proxy({}, handler), new Proxy(() => 1, handler), revoked.proxy]) {
      expect(errorItem(thrown).type).not.toBe('');
      expect(errorItem(new Error('m'), { context: thrown as Record<string, unknown> }).message).toBe('m');
      expect(errorItem(new Error('m'), thrown as object).message).toBe('m');
    }
    expect(errorItem(new Error('m'), null as unknown as object).message).toBe('m');
  });

  test('with members that throw keeps the others', () => {
    const error = new Error('m');
    for (const name of [
      'stack',
      'name',
      'cause',
      'errors',
      'code',
      'componentStack',
      'nativeStackAndroid',
      'constructor',
    ]) {
      Object.defineProperty(error, name, {
        get() {
          throw new Error(name);
        },
      });
    }
    expect(errorItem(error)).toEqual({ kind: 'error', type: 'Error', message: 'm', language: 'javascript' });
  });
});

describe('the size', () => {
  test('stays within its limit whatever is thrown', () => {
    const long = '\u0001'.repeat(10_000_000);
    const stack = Array.from(
      { length: 100 },
      (_, at) => `    at ${'ж'.repeat(400)} (/a/${'€'.repeat(300)}.js:1:${at})`,
    ).join('\n');
    const error = errorWith(long, `Error: ${long}\n${stack}`, { name: long, code: long, componentStack: long });
    Object.assign(error, { cause: errorWith(long, stack, { cause: errorWith(long, stack) }) });
    const item = errorItem(error);
    expect(encodedBytes(item)).toBeLessThanOrEqual(limits.item + 100);
    expect(item.message.endsWith('…')).toBe(true);
    expect(item.frames?.[item.frames.length - 1]?.column).toBe(0);
    expect(item.causes?.length).toBeGreaterThan(0);
  });

  test('of a text that fits changes nothing', () => {
    const message = `${'x'.repeat(8000)}🛒`;
    expect(errorItem(new Error(message)).message).toBe(message);
  });

  test('of a text that does not fit is above the limit of the engine, so that it is counted', () => {
    const { message } = errorItem(new Error('🛒'.repeat(5000)));
    expect(new TextEncoder().encode(message).length).toBeGreaterThan(8192);
    expect(message).toMatch(/^(🛒)+…$/u);
  });
});
