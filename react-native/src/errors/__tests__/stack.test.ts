import type { Frame } from '../../core/items';
import { parseStack } from '../stack';

/** A frame as one line: `function file:line:column`, with `*` behind the app's own. */
function shown(frame: Frame): string {
  const place = frame.line === undefined ? '' : ` ${frame.file ?? '?'}:${frame.line}:${frame.column}`;
  return `${frame.function ?? '?'}${place}${frame.in_app ? ' *' : ''}`;
}

/** The frames in the order of the text, innermost first. */
function parsed(text: string, message?: string): string[] {
  return parseStack(text, message).reverse().map(shown);
}

describe('Hermes', () => {
  test('a stack of source lists the outermost frame first', () => {
    const text = [
      'TypeError: card declined',
      '    at pay (err.js:2:36)',
      '    at get total (err.js:3:62)',
      '    at anonymous (err.js:6:46)',
      '    at map (native)',
      '    at global (err.js:6:5)',
    ].join('\n');
    expect(parseStack(text)).toEqual([
      { function: 'global', file: 'err.js', line: 6, column: 5, in_app: true },
      { function: 'map', in_app: false },
      { file: 'err.js', line: 6, column: 46, in_app: true },
      { function: 'get total', file: 'err.js', line: 3, column: 62, in_app: true },
      { function: 'pay', file: 'err.js', line: 2, column: 36, in_app: true },
    ]);
  });

  test('bytecode keeps line 1 and the offset, and names the bundle as servers do', () => {
    const text = [
      'TypeError: card declined',
      '    at pay (address at index.android.bundle:1:767)',
      '    at ?anon_0_g (address at /data/user/0/app.rez/files/.expo-internal/63e4a1:1:1383)',
      '    at next (native)',
      '    at anonymous (address at /private/var/containers/Bundle/Application/0B5E/Rez Shop.app/main.jsbundle:1:1352)',
      '    at tryCallOne (address at InternalBytecode.js:1:1180)',
      '    at anonymous (/build/lib/InternalBytecode/InternalBytecode.js:139:27)',
    ].join('\n');
    expect(parsed(text)).toEqual([
      'pay app:///index.android.bundle:1:767 *',
      '?anon_0_g app:///63e4a1:1:1383 *',
      'next',
      '? app:///main.jsbundle:1:1352 *',
      'tryCallOne InternalBytecode.js:1:1180',
      '? InternalBytecode.js:139:27',
    ]);
  });

  test('code of eval, odd names and symbols are frames', () => {
    const text = [
      '    at eval (JavaScript:1:4)',
      '    at a (b) (err.js:16:57)',
      '    at [Symbol.replace] (native)',
      '    at global (err.js:16:5)',
    ].join('\n');
    expect(parsed(text)).toEqual([
      'eval JavaScript:1:4 *',
      'a (b) err.js:16:57 *',
      '[Symbol.replace]',
      'global err.js:16:5 *',
    ]);
  });

  test('a stack that overflowed keeps its innermost frames', () => {
    const lines = ['RangeError: Maximum call stack size exceeded'];
    for (let at = 0; at < 50; at++) lines.push(`    at rec (err.js:22:${at + 1})`);
    lines.push('    ... skipping 95220 frames');
    for (let at = 0; at < 49; at++) lines.push('    at rec (err.js:22:99)');
    const frames = parseStack(lines.join('\n'));
    expect(frames).toHaveLength(50);
    expect(frames[49]?.column).toBe(1);
    expect(frames[0]?.column).toBe(50);
  });

  test('a bundle of Metro loses the query of its URL', () => {
    const text = [
      'Error: x',
      '    at Pay (http://10.0.2.2:8081/index.bundle?platform=android&dev=true&token=s3cret:12345:67)',
      '    at App (http://10.0.2.2:8081/node_modules/expo/AppEntry.bundle//&platform=ios&dev=true:9:8)',
      '    at anonymous (http://ann:pw@10.0.2.2:8081/src/pay.js#top:3:4)',
    ].join('\n');
    expect(parsed(text)).toEqual([
      'Pay http://10.0.2.2:8081/index.bundle:12345:67 *',
      'App http://10.0.2.2:8081/node_modules/expo/AppEntry.bundle:9:8 *',
      '? http://10.0.2.2:8081/src/pay.js:3:4 *',
    ]);
  });
});

describe('JavaScriptCore', () => {
  test('names, functions without a name, native code and bare locations are frames', () => {
    const text = [
      'pay@http://localhost:8081/index.bundle//&platform=ios&dev=true:123:45',
      '@http://localhost:8081/index.bundle?platform=ios:9:7',
      'map@[native code]',
      '[native code]',
      'http://localhost:8081/node_modules/@scope/lib/index.js:1:2',
      'file:///private/var/containers/Bundle/Application/0B5E/Rez.app/main.jsbundle:1:88120',
      '/var/containers/Bundle/Application/0B5E/Rez Shop.app/main.jsbundle:1:2',
      'render@main.jsbundle:4:5',
      'global code@http://localhost:8081/index.bundle:6:7',
    ].join('\n');
    expect(parsed(text)).toEqual([
      'pay http://localhost:8081/index.bundle:123:45 *',
      '? http://localhost:8081/index.bundle:9:7 *',
      'map',
      '?',
      '? http://localhost:8081/node_modules/@scope/lib/index.js:1:2',
      '? app:///main.jsbundle:1:88120 *',
      '? app:///main.jsbundle:1:2 *',
      'render app:///main.jsbundle:4:5 *',
      'global code http://localhost:8081/index.bundle:6:7 *',
    ]);
  });

  test('prose with an at sign is no frame', () => {
    expect(parsed('mail me@host:25:1\nsee http://host/x.js:1:2 for more\nann@rez.app\n12:30:45')).toEqual([]);
  });
});

describe('V8', () => {
  test('methods, constructors, async calls and builtins are frames', () => {
    const text = [
      'TypeError: card declined',
      '    at pay (/srv/app/(tabs)/index.js:2:23)',
      '    at new Cart (/srv/app/(tabs)/index.js:3:26)',
      '    at Object.checkout [as alias] (/srv/app/(tabs)/index.js:4:24)',
      '    at /srv/app/(tabs)/index.js:5:24',
      '    at Array.map (<anonymous>)',
      '    at a (b) (/srv/app/(tabs)/index.js:8:29)',
      '    at async Promise.all (index 0)',
      '    at async /srv/app/(tabs)/index.js:10:18',
      '    at async inner (file:///srv/app/x.mjs:10:61)',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
      '    at lib (/srv/app/node_modules/lib/index.js:1:2)',
      '    at lib (C:\\app\\node_modules\\lib\\index.js:1:2)',
    ].join('\r\n');
    expect(parsed(text)).toEqual([
      'pay /srv/app/(tabs)/index.js:2:23 *',
      'new Cart /srv/app/(tabs)/index.js:3:26 *',
      'Object.checkout /srv/app/(tabs)/index.js:4:24 *',
      '? /srv/app/(tabs)/index.js:5:24 *',
      'Array.map',
      'a (b) /srv/app/(tabs)/index.js:8:29 *',
      'Promise.all',
      '? /srv/app/(tabs)/index.js:10:18 *',
      'inner file:///srv/app/x.mjs:10:61 *',
      'process.processTicksAndRejections node:internal/process/task_queues:95:5',
      'lib /srv/app/node_modules/lib/index.js:1:2',
      'lib C:\\app\\node_modules\\lib\\index.js:1:2',
    ]);
  });

  test('a frame of eval has the place that called eval', () => {
    const text = [
      '    at eval (eval at <anonymous> (/srv/app/(tabs)/index.js:7:17), <anonymous>:1:1)',
      '    at eval (eval at g (eval at f (/srv/a.js:1:2)), <anonymous>:3:4)',
      '    at x (data:text/javascript,secret=1:1:2)',
    ].join('\n');
    expect(parsed(text)).toEqual(['eval /srv/app/(tabs)/index.js:7:17 *', 'eval /srv/a.js:1:2 *', 'x data::1:2 *']);
  });

  test('the stack of an error thrown here is parsed', () => {
    function pay() {
      return new Error('here');
    }
    const error = pay();
    const frames = parseStack(error.stack ?? '', error.message);
    const inner = frames[frames.length - 1];
    expect(inner?.function).toBe('pay');
    expect(inner?.file).toMatch(/stack\.test\.ts$/);
    expect(inner?.line).toBeGreaterThan(0);
  });
});

describe('the message', () => {
  const message = 'first\n    at fake (evil.js:1:2)\nlast';

  test('is never taken for frames if it is known', () => {
    const text = `Error: ${message}\n    at anonymous (err.js:13:40)`;
    expect(parsed(text, message)).toEqual(['? err.js:13:40 *']);
    expect(parsed(text)).toEqual(['fake evil.js:1:2 *', '? err.js:13:40 *']);
  });

  test('is found behind a name that contains colons', () => {
    expect(parsed(`Ns: Pay: ${message}\n    at f (a.js:1:2)`, message)).toEqual(['f a.js:1:2 *']);
  });

  test('that begins like the first frame removes nothing', () => {
    expect(parsed('pay@http://h/a.js:1:2', 'pay')).toEqual(['pay http://h/a.js:1:2 *']);
  });

  test('that was changed later leaves the frames', () => {
    expect(parsed('Error: old\n    at f (a.js:1:2)', 'new')).toEqual(['f a.js:1:2 *']);
  });

  test('in prose is no frame', () => {
    expect(parsed('Error: closed\nat noon (12:30)\nat checkout (2 items)\nat least one\nat (x')).toEqual([]);
  });
});

describe('hostile input', () => {
  test.each([
    ['empty', ''],
    ['one character ten million times', 'a'.repeat(10_000_000)],
    ['ten million line ends', '\n'.repeat(10_000_000)],
    ['colons', ':1'.repeat(5_000_000)],
    ['parentheses', `at ${'(eval at '.repeat(400)}${')'.repeat(400)}`],
    ['at signs', '@'.repeat(4000)],
    ['positions without a file', 'at f (:1:2)\nat :1:2\n@:1:2'],
    ['numbers beyond 32 bits', 'at f (a.js:4294967296:1)\nat f (a.js:99999999999:1)'],
    ['a longer line than any frame', `at f (${'a'.repeat(5000)}.js:1:2)`],
  ])('%s gives no frame', (_, text) => {
    expect(parseStack(text)).toEqual([]);
    expect(parseStack(text, text)).toEqual([]);
  });

  test('a message of ten million characters does not hide the frames behind it', () => {
    const message = 'at f (a.js:1:2)\n'.repeat(625_000);
    expect(parsed(`Error: ${message}\nat real (b.js:3:4)`, message)).toEqual(['real b.js:3:4 *']);
  });

  test('names and files are cut', () => {
    const [frame] = parseStack(`at ${'f'.repeat(1000)} (${'d/'.repeat(500)}a.js:1:2)`);
    expect(frame?.function?.length).toBe(402);
    expect(frame?.file?.length).toBe(402);
  });

  test('what is no text has no frames', () => {
    expect(parseStack(undefined as unknown as string)).toEqual([]);
    expect(parseStack('at f (a.js:1:2)', 5 as unknown as string)).toEqual([]);
  });
});
