import { errorItem } from '../exception';

function errorWith(message: string, members: object = {}): Error {
  return Object.assign(new Error(message), { stack: `Error: ${message}\n    at ${message} (a.js:1:2)` }, members);
}

/** The tree in short: `parent/source: type message`. */
function tree(thrown: unknown): string[] {
  const causes = errorItem(thrown).causes ?? [];
  return causes.map((one) => `${one.parent}/${one.source}: ${one.type} ${one.message}${one.group ? ' (group)' : ''}`);
}

const Aggregate = (globalThis as { AggregateError?: new (errors: unknown[], message: string) => Error }).AggregateError;

test('a chain of causes keeps type, message and stack of each', () => {
  const item = errorItem(errorWith('pay', { cause: errorWith('timeout', { cause: 'ETIMEDOUT' }) }));
  expect(item.causes).toEqual([
    {
      type: 'Error',
      message: 'timeout',
      parent: 0,
      source: 'cause',
      frames: [{ function: 'timeout', file: 'a.js', line: 1, column: 2, in_app: true }],
    },
    { type: 'NonError', message: 'ETIMEDOUT', parent: 1, source: 'cause' },
  ]);
});

test('a cycle of causes ends', () => {
  const first = errorWith('first');
  const second = errorWith('second', { cause: first });
  Object.assign(first, { cause: second });
  expect(tree(first)).toEqual(['0/cause: Error second']);
  const own = errorWith('own');
  Object.assign(own, { cause: own });
  expect(tree(own)).toEqual([]);
});

test('of twenty causes ten are kept', () => {
  let error = errorWith('20');
  for (let at = 19; at >= 0; at--) error = errorWith(String(at), { cause: error });
  expect(tree(error)).toHaveLength(10);
  expect(tree(error)[9]).toBe('9/cause: Error 10');
});

test('an AggregateError is a group whose members follow in the order of reading', () => {
  const members = [errorWith('one', { cause: errorWith('deep') }), 'text', errorWith('two')];
  const group = Aggregate
    ? new Aggregate(members, 'all failed')
    : errorWith('all failed', { name: 'AggregateError', errors: members });
  expect(errorItem(group)).toMatchObject({ type: 'AggregateError', group: true });
  expect(tree(errorWith('outer', { cause: group }))).toEqual([
    '0/cause: AggregateError all failed (group)',
    '1/errors[0]: Error one',
    '2/cause: Error deep',
    '1/errors[1]: NonError text',
    '1/errors[2]: Error two',
  ]);
});

test('the stacks of all members of a group are kept, in the form of each engine', () => {
  const members = [
    Object.assign(new TypeError('hermes'), {
      stack: 'TypeError: hermes\n    at a (address at index.android.bundle:1:7)',
    }),
    Object.assign(new RangeError('jsc'), {
      stack: 'b@http://localhost:8081/index.bundle//&platform=ios:2:3\n@[native code]',
    }),
    Object.assign(new Error('v8'), { stack: 'Error: v8\n    at new C (/srv/c.js:4:5)\n    at <anonymous>' }),
  ];
  const item = errorItem(errorWith('all failed', { name: 'AggregateError', errors: members }));
  expect(
    item.causes?.map(({ type, message, frames }) => [type, message, frames?.map((frame) => frame.function ?? '?')]),
  ).toEqual([
    ['TypeError', 'hermes', ['a']],
    ['RangeError', 'jsc', ['?', 'b']],
    ['Error', 'v8', ['new C']],
  ]);
});

test('a group of an engine without AggregateError is recognised by its name', () => {
  expect(tree(errorWith('m', { name: 'AggregateError', errors: ['a'] }))).toEqual(['0/errors[0]: NonError a']);
});

test('a list of texts of a library that validates is no group', () => {
  const item = errorItem(errorWith('m', { name: 'ValidationError', errors: ['name is required'] }));
  expect(item.group).toBeUndefined();
  expect(item.causes).toBeUndefined();
});

test('a SuppressedError has the error and what it suppressed', () => {
  const error = errorWith('m', { name: 'SuppressedError', error: errorWith('close'), suppressed: errorWith('read') });
  expect(tree(error)).toEqual(['0/error: Error close', '0/suppressed[0]: Error read']);
});

test('a method named cause is no cause', () => {
  expect(tree(errorWith('m', { cause: () => new Error('x') }))).toEqual([]);
});

test('a million members of a group cost no more than ten', () => {
  const errors = new Array(1_000_000).fill(0).map((_, at) => (at < 12 ? errorWith(String(at)) : null));
  expect(tree(errorWith('m', { name: 'AggregateError', errors }))).toHaveLength(10);
});

test('the stack of components is a cause with frames', () => {
  const componentStack =
    '\n    at Cart (address at index.android.bundle:1:5)\n    at View\n    at App (address at index.android.bundle:1:9)';
  const expected = {
    type: 'ComponentStack',
    message: '',
    parent: 0,
    source: 'componentStack',
    frames: [
      { function: 'App', file: 'app:///index.android.bundle', line: 1, column: 9, in_app: true },
      { function: 'Cart', file: 'app:///index.android.bundle', line: 1, column: 5, in_app: true },
    ],
  };
  const item = errorItem(errorWith('m'), { componentStack });
  expect(item.causes).toEqual([expected]);
  expect(item.context).toBeUndefined();
  expect(errorItem(errorWith('m', { componentStack, cause: 'c' })).causes).toEqual([
    expected,
    { type: 'NonError', message: 'c', parent: 0, source: 'cause' },
  ]);
});

test('a stack of components without places is a text in the context', () => {
  const componentStack = '\n    in Cart (created by App)\n    in App';
  const item = errorItem(errorWith('m'), { componentStack, context: { cart: { items: 2 } } });
  expect(item.causes).toBeUndefined();
  expect(item.context).toEqual({
    cart: { items: 2 },
    react: { componentStack: 'in Cart (created by App)\n    in App' },
  });
});

test('the stack of a native module of Android is a cause in Java', () => {
  const nativeStackAndroid = [
    { class: 'app.rez.pay.Card', methodName: 'charge', file: 'Card.kt', lineNumber: 12 },
    { class: 'java.lang.reflect.Method', methodName: 'invoke', file: 'Method.java', lineNumber: -2 },
    null,
  ];
  expect(errorItem(errorWith('m', { nativeStackAndroid })).causes).toEqual([
    {
      type: 'NativeStack',
      message: '',
      parent: 0,
      source: 'nativeStackAndroid',
      frames: [
        { function: '', module: '', file: '', in_app: false, language: 'java' },
        {
          function: 'invoke',
          module: 'java.lang.reflect.Method',
          file: 'Method.java',
          in_app: false,
          language: 'java',
        },
        { function: 'charge', module: 'app.rez.pay.Card', file: 'Card.kt', line: 12, in_app: true, language: 'java' },
      ],
    },
  ]);
});

test('the stack of a native module of iOS is a cause with addresses', () => {
  const nativeStackIOS = [
    '0   RezApp                              0x0000000102b8e8f4 -[Cart pay:with:] + 79',
    '1   libdispatch.dylib                   0x00000001803a1b20 _dispatch_call_block_and_release + 32',
    'no frame',
    7,
  ];
  expect(errorItem(errorWith('m', { nativeStackIOS })).causes?.[0]?.frames).toEqual([
    {
      function: '_dispatch_call_block_and_release',
      module: 'libdispatch.dylib',
      address: '0x00000001803a1b20',
      in_app: false,
      language: 'cocoa',
    },
    { function: '-[Cart pay:with:]', module: 'RezApp', address: '0x0000000102b8e8f4', in_app: true, language: 'cocoa' },
  ]);
});
