import { setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import { manualClock, type RecordingPort, recordingPort } from '../../testing/recording-port';
import { uncaughtErrors } from '../errors';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

type Listener = (event: { error?: unknown; message?: string }) => void;
const scope = globalThis as { ErrorUtils?: unknown; document?: unknown; window?: unknown };
const before = { ...scope };

let port: RecordingPort;
let client: Client;
let listeners: Listener[];

beforeEach(() => {
  port = recordingPort();
  client = new Client({ port, clock: manualClock() });
  setClient(client);
  client.open({});
  listeners = [];
  scope.document = {};
  scope.window = {
    addEventListener: (_name: string, listener: Listener) => listeners.push(listener),
    removeEventListener: (_name: string, listener: Listener) => {
      listeners = listeners.filter((one) => one !== listener);
    },
  };
  // As the bundle of Metro brings it.
  scope.ErrorUtils = { getGlobalHandler: () => () => undefined, setGlobalHandler: () => undefined };
});
afterEach(() => {
  for (const name of ['ErrorUtils', 'document', 'window'] as const) {
    if (name in before) scope[name] = before[name];
    else delete scope[name];
  }
});

function install(): () => void {
  const undo = uncaughtErrors(() => client);
  if (typeof undo === 'string') throw new Error(undo);
  return undo;
}

test('an error of a web page is recorded, although its bundle brings ErrorUtils', () => {
  install();
  for (const listener of listeners) listener({ error: new TypeError('no currency') });
  client.drain();
  expect(port.items()).toMatchObject([{ kind: 'error', type: 'TypeError', message: 'no currency', handled: false }]);
  expect(port.fatals).toEqual([]);
});

test('an error of a script from another host has a text only', () => {
  install();
  for (const listener of listeners) listener({ message: 'Script error.' });
  client.drain();
  expect(port.items()).toMatchObject([{ kind: 'error', message: 'Script error.' }]);
});

test('undo removes the listener', () => {
  install()();
  expect(listeners).toEqual([]);
});

test('a page whose window has no events is named', () => {
  scope.window = {};
  expect(uncaughtErrors(() => client)).toMatch(/uncaught errors: /);
});
