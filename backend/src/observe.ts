/** What watches the process without a call of the app, from the moment the engine opens. */
import { onOpen } from './core/monitor';
import { watchUncaught } from './core/process';
import { observeRedis } from './drivers/redis';
import { observeOutgoing } from './http/outgoing';
import { observeServer } from './http/server';

/** Registers the observers. The entry point calls it: a bundler keeps a call, and drops a file that is imported for its effect alone. */
export function observe(): void {
  onOpen(watchUncaught);
  onOpen(observeServer);
  onOpen(observeOutgoing);
  onOpen(observeRedis);
}
