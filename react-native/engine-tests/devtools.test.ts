/** The app's end of the developer tools on the real engine, which sends to a server on this machine. */
import { logEvent } from '../src';
import { type Channel, serve } from '../src/devtools/messages';
import { newEngine, newFolder, rowsOf, WAIT_MS } from './addon';
import { newClient } from './client';
import { Collector } from './collector';

jest.mock('react-native', () => jest.requireActual('./elements'));

/** A desk that is connected to the app. */
class Desk implements Channel {
  private readonly listeners = new Map<string, (payload: unknown) => void>();
  private readonly heard: [method: string, payload: Record<string, unknown>][] = [];
  private wake = () => {};

  send(method: string, payload: object): void {
    this.heard.push([method, payload as Record<string, unknown>]);
    this.wake();
  }

  onMessage(method: string, listener: (payload: unknown) => void): { remove(): void } {
    this.listeners.set(method, listener);
    return { remove: () => this.listeners.delete(method) };
  }

  say(method: string, payload: object): void {
    this.listeners.get(method)?.(payload);
  }

  async next(method: string): Promise<Record<string, unknown>> {
    for (;;) {
      const at = this.heard.findIndex(([name]) => name === method);
      if (at >= 0) return this.heard.splice(at, 1)[0]?.[1] ?? {};
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  async ask(request: object, to?: unknown): Promise<string> {
    this.say('request', { id: 'desk-1', to, request: JSON.stringify(request) });
    return String((await this.next('answer')).answer);
  }
}

let collector: Collector;
let folder: string;
let desk: Desk;
let stop: () => void;

beforeEach(async () => {
  collector = await Collector.start();
  folder = newFolder();
  desk = new Desk();
});

afterEach(() => stop());

function open(more: object = {}) {
  const client = newClient({ port: newEngine() });
  const granted = { consentMonitoring: 'granted', consentAnalytics: 'granted' };
  const destinations = [collector.destination()];
  const settings = { folder, app: 'shop', release: 'shop@1', sessions: false, inspector: true, ...granted };
  expect(client.open({ ...settings, destinations, ...more })).toBe('');
  (globalThis as { __DEV__?: boolean }).__DEV__ = true;
  stop = serve(desk);
  return client;
}

test('the name of an app is the same after each start', async () => {
  const first = open();
  const { name, app } = await desk.next('app');
  expect(name).toMatch(/^android-[\da-f]{4}$/);
  expect(app).toMatch(/shop/);
  stop();
  await first.close(WAIT_MS);
  open();
  expect(await desk.next('app')).toMatchObject({ name, new: true });
});

test('the list, the reason, a mark and an order come from the queue of the app', async () => {
  const client = open();
  const { name } = await desk.next('app');
  logEvent('begin_checkout', { value: 1499.5 });
  await client.persist(WAIT_MS);
  const { events } = JSON.parse(await desk.ask({ ask: 'list' }, name));
  expect(events.map((event: { name: string }) => event.name)).toEqual(['begin_checkout']);
  expect(JSON.parse(await desk.ask({ ask: 'why', id: events[0].id }, name)).lines).toHaveLength(1);
  const { id } = JSON.parse(await desk.ask({ tell: 'mark', text: 'tapped Pay' }, name));
  expect(rowsOf(folder).find((row) => row.id === id)?.json.message).toBe('tapped Pay');
  const { destinations } = JSON.parse(await desk.ask({ tell: 'send_now' }, name));
  expect(destinations).toMatchObject([{ destination: 'team', left: 0 }]);
  expect(collector.events()).toHaveLength(2);
});

test('an engine that does not answer the inspector says so', async () => {
  open({ inspector: false });
  const { name } = await desk.next('app');
  expect(JSON.parse(await desk.ask({ ask: 'list' }, name)).error).toMatch(/inspector/);
});
