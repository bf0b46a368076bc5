/** The app's end of the developer tools, with tools that only pass messages on. The engine's answers: `engine-tests/devtools.test.ts`. */
import { StrictMode } from 'react';
import { setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import { allowInspector } from '../../inspector/allowed';
import { useRezMonitorRozenite } from '../../rozenite';
import { type RecordingPort, recordingPort } from '../../testing/recording-port';
import { act, render, unmountAll } from '../../testing/screen';
import { useRezMonitorDevTools } from '..';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

type Listener = (payload: unknown) => void;
interface Sent {
  method: string;
  payload: Record<string, unknown>;
}

/** A developer tool: what the app has sent, and who listens. */
const mockTool = {
  names: [] as string[],
  sent: [] as Sent[],
  listeners: new Map<string, Set<Listener>>(),
  failure: undefined as Error | undefined,
  send: (method: string, payload: Sent['payload']) => void mockTool.sent.push({ method, payload }),
  listen(method: string, listener: Listener) {
    const known = mockTool.listeners.get(method) ?? new Set();
    mockTool.listeners.set(method, known.add(listener));
    return { remove: () => void known.delete(listener) };
  },
  async open(name: string) {
    mockTool.names.push(name);
    if (mockTool.failure) throw mockTool.failure;
  },
};

jest.mock(
  'expo/devtools',
  () => ({
    getDevToolsPluginClientAsync: async (name: string) => {
      await mockTool.open(name);
      return { sendMessage: mockTool.send, addMessageListener: mockTool.listen };
    },
  }),
  { virtual: true },
);
jest.mock(
  '@rozenite/plugin-bridge',
  () => ({
    getRozeniteDevToolsClient: async (name: string) => {
      await mockTool.open(name);
      return { send: mockTool.send, onMessage: mockTool.listen };
    },
  }),
  { virtual: true },
);

let port: RecordingPort;
let warn: jest.SpyInstance;
const { NODE_ENV } = process.env;
const setEnvironment = (NODE_ENV: string | undefined) => Object.assign(process.env, { NODE_ENV });

beforeEach(() => {
  setEnvironment('development');
  delete (globalThis as Record<symbol, unknown>)[Symbol.for('app.rez.monitor')];
  port = recordingPort({
    inspect: async (request) => {
      if (request.includes('about')) return '{"protocol":1,"install":"0190-abcd-12f7","app":"shop@1"}';
      if (request.includes('nothing')) throw new Error('the native side is gone');
      return '{"stock":9007199254740993}';
    },
  });
  setClient(new Client({ port }));
  Object.assign(mockTool, { names: [], sent: [], listeners: new Map(), failure: undefined });
  warn = jest.spyOn(console, 'warn').mockImplementation(() => {});
});

afterEach(async () => {
  await unmountAll();
  warn.mockRestore();
  setEnvironment(NODE_ENV);
});

/** Hands a message to the app, and returns what it sends. */
async function hear(method: string, payload: unknown): Promise<Sent[]> {
  mockTool.sent = [];
  await act(async () => {
    for (const listener of mockTool.listeners.get(method) ?? []) listener(payload);
  });
  return mockTool.sent;
}

const tools: [string, () => void][] = [
  ['Expo', useRezMonitorDevTools],
  ['Rozenite', useRezMonitorRozenite],
];

describe.each(tools)('in %s', (_, useTool) => {
  function App() {
    useTool();
    return null;
  }
  const NAME = 'ios-12f7';
  const request = (more: object = {}) => ({ id: 'page-1', to: NAME, request: '{"ask":"list"}', ...more });

  test('the app announces itself when it starts, and whenever it is asked', async () => {
    await render(<App />);
    const app = { protocol: 1, name: NAME, app: 'shop@1' };
    expect(mockTool.names).toEqual(['@rez/monitor']);
    expect(mockTool.sent).toEqual([{ method: 'app', payload: { ...app, new: true } }]);
    expect(await hear('who', {})).toEqual([{ method: 'app', payload: { ...app, new: false } }]);
  });

  test('an answer is the text of the engine, with all its digits, and the id of its request', async () => {
    await render(<App />);
    const answer = { id: 'page-1', answer: '{"stock":9007199254740993}' };
    expect(await hear('request', request())).toEqual([{ method: 'answer', payload: answer }]);
    expect(await hear('request', request({ to: undefined }))).toHaveLength(1);
    expect(port.calls.at(-1)).toEqual(['inspect', '{"ask":"list"}', 10_000]);
  });

  test('an order gets the time that servers need', async () => {
    await render(<App />);
    await hear('request', request({ request: '{"tell":"send_now"}' }));
    expect(port.calls.at(-1)).toEqual(['inspect', '{"tell":"send_now"}', 60_000]);
  });

  test.each([
    ['to another app', request({ to: 'ios-ffff' })],
    ['without an id', request({ id: undefined })],
    ['with an id that is no text', request({ id: 7 })],
    ['with an id without end', request({ id: 'n'.repeat(201) })],
    ['that is nothing', null],
    ['that is a text', 'request'],
  ])('a request %s is not answered', async (_name, message) => {
    await render(<App />);
    expect(await hear('request', message)).toEqual([]);
  });

  test.each([undefined, 7, '', 'no json', '[1]', 'null'])(
    'the request %p is answered with a sentence',
    async (text) => {
      await render(<App />);
      const [sent] = await hear('request', request({ request: text }));
      expect(sent?.payload.answer).toBe('{"error":"the request is no JSON object"}');
    },
  );

  test('nobody on the channel opens the debug endpoint, whose token all would hear', async () => {
    await render(<App />);
    const [sent] = await hear('request', request({ request: '{"tell":"endpoint","port":7345}' }));
    expect(sent?.payload.answer).toBe('{"error":"only the app itself opens its debug endpoint"}');
  });

  test('an engine that throws is answered with a sentence', async () => {
    await render(<App />);
    const [sent] = await hear('request', request({ request: '{"ask":"nothing"}' }));
    expect(sent?.payload.answer).toMatch(/^\{"error":"/);
  });

  test('`inspector: false` of init shows nothing of the queue', async () => {
    allowInspector(false);
    await render(<App />);
    const name = mockTool.sent[0]?.payload.name;
    expect(name).toMatch(/^ios-\w{4}$/);
    const [sent] = await hear('request', request({ to: name }));
    expect(sent?.payload.answer).toMatch(/inspector: false/);
    expect(port.calls.filter(([call]) => call === 'inspect')).toEqual([]);
  });

  test('a name from before the engine was open goes on to be answered', async () => {
    allowInspector(false);
    await render(<App />);
    const before = mockTool.sent[0]?.payload.name;
    allowInspector(true);
    expect((await hear('who', {}))[0]?.payload.name).toBe(NAME);
    expect(await hear('request', request({ to: before }))).toHaveLength(1);
    expect(await hear('request', request())).toHaveLength(1);
  });

  test('a component that is gone answers nothing, and one that React mounts twice answers once', async () => {
    await render(
      <StrictMode>
        <App />
      </StrictMode>,
    );
    expect(await hear('request', request())).toHaveLength(1);
    await unmountAll();
    expect(await hear('request', request())).toEqual([]);
  });

  test('a tool that cannot be reached is one line of the log', async () => {
    mockTool.failure = new Error(`no server for ${useTool.name}`);
    await render(<App />);
    expect(warn.mock.calls.flat().join()).toContain(`no server for ${useTool.name}`);
  });

  test.each(['production', 'test'])('with the environment %s nothing is opened', async (environment) => {
    setEnvironment(environment);
    await render(<App />);
    expect(mockTool.names).toEqual([]);
  });
});
