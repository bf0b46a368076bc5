/** Counts the WebSocket connections that are open. */
import { Server } from 'node:http';
import { Server as SecureServer } from 'node:https';
import { guarded } from '../../../react-native/src/core/guard';
import { warnOnce } from '../core/logger';
import { metricsOf } from './start';

interface Emitter {
  on(event: string, listener: (...values: never[]) => void): unknown;
}

interface Socket {
  once(event: string, listener: () => void): unknown;
}

/**
 * Counts the connections of a server as `websocket_connections_total`: a server of the package `ws` or of socket.io by its event
 * `connection`, an http server by its upgrades. Never throws.
 */
export function trackWebSockets(server: unknown): void {
  guarded(undefined, () => {
    const gauge = metricsOf()?.webSockets;
    if (!gauge) return;
    const opened = (socket: Socket) => {
      gauge.inc();
      let open = true;
      const closed = () => {
        if (open) gauge.dec();
        open = false;
      };
      socket.once('close', closed);
      // socket.io's word.
      socket.once('disconnect', closed);
    };
    if (server instanceof Server || server instanceof SecureServer) trackUpgrades(server, opened);
    else if (typeof (server as Emitter | null)?.on === 'function') (server as Emitter).on('connection', opened);
    else warnOnce('trackWebSockets: not a server: nothing is counted');
  });
}

/** Node.js answers an upgrade as a plain request as long as nobody listens. So this listener waits for another one. */
function trackUpgrades(server: Server | SecureServer, opened: (socket: Socket) => void): void {
  let listens = false;
  const listen = () => {
    if (listens) return;
    listens = true;
    server.on('upgrade', (_request, socket) => opened(socket));
  };
  if (server.listenerCount('upgrade') > 0) listen();
  else server.on('newListener', (event) => event === 'upgrade' && listen());
}
