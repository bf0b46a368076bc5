/** No method throws and no promise is rejected: every method answers bad input, a closed engine and a panic behind the call. */
import { addon, batch, newEngine, newFolder, open, settings, WAIT_MS } from './addon';
import { call, expectNoEngine, someArguments, specification } from './methods';

const SPECIFICATION = specification();
/** Jest gives a test its own `Promise`, which the engine does not know. */
const isPromise = (answer: unknown): boolean => typeof (answer as Promise<unknown>)?.then === 'function';

test('the class has the methods of the specification and no others', () => {
  const methods = Object.getOwnPropertyNames(addon.RezMonitor.prototype).filter((name) => name !== 'constructor');
  expect(methods.sort()).toEqual(SPECIFICATION.map(({ name }) => name).sort());
  expect(methods.length).toBeGreaterThan(20);
});

test('each method answers with the type of the specification', async () => {
  const { engine } = open();
  for (const method of SPECIFICATION.filter(({ name }) => name !== 'close')) {
    const answer = call(engine, method.name, someArguments(method));
    const promised = method.returns.startsWith('Promise');
    expect([method.name, isPromise(answer)]).toEqual([method.name, promised]);
    expect([method.name, typeof (await answer)]).toEqual([method.name, promised ? 'string' : method.returns]);
  }
});

test.each(SPECIFICATION.filter(({ name }) => name !== 'open'))(
  '$name before open answers without an engine',
  async (method) => {
    expectNoEngine(method, await call(newEngine(), method.name, someArguments(method)));
  },
);

test('every method after close answers without an engine, also while the close waits', async () => {
  const { engine } = open();
  const closed = engine.close(WAIT_MS);
  for (const method of SPECIFICATION.filter(({ name }) => name !== 'open')) {
    expectNoEngine(method, await call(engine, method.name, someArguments(method)));
  }
  expect(await closed).toBe('');
});

test('a panic behind a call is answered as if there were no engine, and the engine goes on', async () => {
  const { engine, folder, rows } = open();
  addon.testPanic(true);
  const inVain = SPECIFICATION.filter(({ name }) => name !== 'close');
  const answers = inVain.map((method) => {
    const args = method.name === 'open' ? [settings(folder), ''] : someArguments(method);
    return [method, call(engine, method.name, args)] as const;
  });
  for (const [method, answer] of answers) expectNoEngine(method, await answer);
  expect(await newEngine().close(0)).toBe('');
  addon.testPanic(false);
  expect(engine.recordBatch(batch({ kind: 'message', message: 'after' }))).toBe(true);
  expect(await rows()).toMatchObject([{ json: { message: 'after' } }]);
});

const throwing = new Proxy(
  {},
  {
    get: () => {
      throw new Error('a getter of the app');
    },
  },
);
const WRONG: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a list', ['{}']],
  ['an object', { toString: () => '{}' }],
  ['an object that throws', throwing],
  ['a symbol', Symbol('s')],
  ['a function', () => '{}'],
  ['a bigint', 10n],
  ['a String object', new String('{}')],
];

test.each(WRONG)('%s in the place of any argument is answered as if there were no engine', async (_, wrong) => {
  const { engine, rows } = open();
  for (const method of SPECIFICATION.filter(({ name, parameters }) => parameters.length > 0 && name !== 'close')) {
    for (let at = 0; at < method.parameters.length; at++) {
      const args = someArguments(method);
      args[at] = wrong;
      expectNoEngine(method, await call(engine, method.name, args));
    }
  }
  expect(await rows()).toEqual([]);
});

test('a missing or superfluous argument does not throw', async () => {
  const { engine } = open();
  for (const method of SPECIFICATION.filter(({ name, parameters }) => parameters.length > 0 && name !== 'close')) {
    expectNoEngine(method, await call(engine, method.name, []));
  }
  expect(call(engine, 'clearMetrics', [1, 2, 3])).toBe(true);
});

test('a wait that is no time is no wait, and one without end ends with the work', async () => {
  const { engine } = open();
  for (const wait of [Number.POSITIVE_INFINITY, 1e300]) expect(await engine.persist(wait)).toBe('');
  for (const wait of [Number.NaN, -5]) expect(typeof (await engine.persist(wait))).toBe('string');
});

test('the close of a wait of another type closes at once', async () => {
  const { engine } = open();
  expect(await call(engine, 'close', ['soon'])).toBe('');
  expect(engine.status()).toBe('');
});

const NO_JSON = ['', '{', 'null', '[]', '7', '"text"', '\ud800', '{"v":1}', '\0'];

test('a text that is no JSON object records nothing, is counted, and its wrong facts are named', async () => {
  const { engine, rows } = open();
  for (const text of NO_JSON) {
    expect([text, engine.recordBatch(text)]).toEqual([text, false]);
    expect([text, engine.recordFatal(text)]).toEqual([text, false]);
    expect([text, engine.traceHeaders(text, 'https://api.example.com')]).toEqual([text, '{}']);
    expect(JSON.parse(newEngine().open(text, ''))).toEqual({ error: expect.any(String) });
  }
  for (const text of NO_JSON.filter((text) => !text.includes('v'))) {
    expect(engine.setFacts(text)).toContain('facts');
    expect(engine.setConditions(text)).toContain('conditions');
  }
  expect(await rows()).toEqual([]);
  const { refused } = JSON.parse(engine.status()).status;
  const counted = refused.filter(({ reason }: { reason: string }) => reason === 'malformed');
  expect(counted.reduce((sum: number, { count }: { count: number }) => sum + count, 0)).toBe(2 * NO_JSON.length);
});

test('unknown words, names and ids are refused with a sentence that says what to use', async () => {
  const { engine } = open();
  expect(engine.setConsent('everything', 'granted')).toBe(false);
  expect(engine.setConsent('analytics', 'yes')).toBe(false);
  expect(engine.addDestinations('{}', 'yesterday')).toContain('`oldest` or `now`');
  expect(engine.addDestinations('{"destinations":[{"name":"a","kind":"fax"}]}', 'now')).toContain('sentry');
  expect(engine.addDestinations('{"destinatoins":[]}', 'now')).toContain('destinations');
  expect(engine.pauseDestination('two words')).toContain('two words');
  expect(engine.resumeDestination('')).not.toBe('');
  expect(engine.setRelease('', '')).toContain('release');
  expect(JSON.parse(await engine.why('no id', 10)).error).toMatch(/\w/);
});

test('wrong settings and facts open nothing', () => {
  const folder = newFolder();
  const wrong: [string, string, string][] = [
    ['{"app":"shop","release":"1"}', '', 'folder'],
    [settings(folder, { sesions: true }), '', 'sessions'],
    [settings(folder, { sampleErrors: 2 }), '', 'sampleErrors'],
    [settings(folder), '[]', 'facts'],
    [settings(folder), 'model', 'facts'],
  ];
  for (const [text, facts, what] of wrong) {
    const engine = newEngine();
    expect(JSON.parse(engine.open(text, facts)).error).toContain(what);
    expect(engine.status()).toBe('');
  }
});

test('a text of 10 MB in the place of any text does not throw', async () => {
  const { engine } = open();
  const long = 'x'.repeat(10 << 20);
  const deep = '['.repeat(10 << 20);
  for (const text of [long, deep]) {
    for (const method of SPECIFICATION.filter(({ parameters }) => parameters.some(({ type }) => type === 'string'))) {
      const args = method.parameters.map(({ type }) => (type === 'string' ? text : 10));
      const answer = await call(engine, method.name, args);
      // Whatever has this name is not there from now on.
      if (method.name === 'removeDestination') expect(answer).toBe('');
      else expectNoEngine(method, answer);
    }
  }
});

test('an event of 10 MB is refused as too large and costs no other event', async () => {
  const { engine, rows } = open();
  const message = 'x'.repeat(10 << 20);
  expect(engine.recordBatch(batch({ kind: 'message', message }, { kind: 'message', message: 'small' }))).toBe(false);
  expect(await rows()).toMatchObject([{ json: { message: 'small' } }]);
  const { refused } = JSON.parse(engine.status()).status;
  expect(refused).toContainEqual({ reason: 'too_large', kind: 'message', count: 1 });
});
