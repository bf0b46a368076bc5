/** The client of an app that has just started. */
import { setClient } from '../src/core/carrier';
import { Client } from '../src/core/client';

/** Makes a client and gives it to the public calls. The state of the process is new: an earlier test has left nothing in it. */
export function newClient(options: ConstructorParameters<typeof Client>[0]): Client {
  delete (globalThis as Record<symbol, unknown>)[Symbol.for('app.rez.monitor')];
  const client = new Client(options);
  setClient(client);
  return client;
}
