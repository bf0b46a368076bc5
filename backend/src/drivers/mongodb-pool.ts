/** How many connections to MongoDB are in use, counted from the driver's own events of its pools. */
import { guarded } from '../../../react-native/src/core/guard';
import { shared } from '../core/shared';
import type { MongoClientLike } from './mongoose';

/** The connections of one pool, or of several together. */
export interface PoolStatus {
  /** Connections that may be open: `maxPoolSize`. Without a limit: those that are open. */
  poolSize: number;
  /** Connections that can be taken now, open or not. Without a limit: `poolSize`. */
  availableConnections: number;
  /** Connections on which something runs. */
  inUse: number;
  /** Connections that are open. One that was open before the events were watched is counted from its first use on. */
  open: number;
  /** Operations that wait for a connection. */
  waiting: number;
}

/** The driver's default of `maxPoolSize`; 0 is no limit. */
const MAX_POOL_SIZE = 100;

/** The pool that a client has for a server. */
interface Pool {
  max: number;
  open: Set<number>;
  inUse: Set<number>;
  waiting: number;
}

interface PoolEvent {
  address: string;
  /** Absent in events of the pool itself. */
  connectionId: number;
}

/** A client whose connections are counted. */
interface Counted {
  /** How many parts want the numbers. */
  holders: number;
  end(): void;
}

interface State {
  clients: WeakMap<MongoClientLike, Counted>;
  /** The pools of clients that are connected: a client that is closed, or gone, is not kept. */
  live: Set<Map<string, Pool>>;
}

const state = () => shared<State>('mongodb.pools', () => ({ clients: new WeakMap(), live: new Set() }));

/** The pool of a client for a server. */
export interface ServerPool extends PoolStatus {
  /** Host and port of the server. */
  address: string;
  /** Whether `maxPoolSize` limits it. */
  isLimited: boolean;
}

/** The present numbers of each pool that is watched: one for each server of each client. */
export function poolsByServer(): ServerPool[] {
  return [...state().live].flatMap((pools) =>
    [...pools].map(([address, { max, open, inUse, waiting }]) => {
      const isLimited = max !== 0;
      const poolSize = isLimited ? max : open.size;
      const availableConnections = isLimited ? Math.max(0, max - inUse.size) : poolSize;
      return { address, isLimited, poolSize, availableConnections, inUse: inUse.size, open: open.size, waiting };
    }),
  );
}

/** The present numbers of all pools that are watched, added up. Zeros if there is none. */
export function poolStatus(): PoolStatus {
  const sum: PoolStatus = { poolSize: 0, availableConnections: 0, inUse: 0, open: 0, waiting: 0 };
  for (const pool of poolsByServer()) {
    for (const name of Object.keys(sum) as (keyof PoolStatus)[]) sum[name] += pool[name];
  }
  return sum;
}

/** Changes a pool as an event says. */
const CHANGES: Readonly<Record<string, (pool: Pool, connection: number) => void>> = {
  connectionPoolCreated: () => undefined,
  connectionReady: ({ open }, connection) => open.add(connection),
  connectionCheckOutStarted(pool) {
    pool.waiting += 1;
  },
  connectionCheckOutFailed: waitEnded,
  connectionCheckedOut(pool, connection) {
    waitEnded(pool);
    pool.open.add(connection);
    pool.inUse.add(connection);
  },
  connectionCheckedIn({ open, inUse }, connection) {
    open.add(connection);
    inUse.delete(connection);
  },
  connectionClosed({ open, inUse }, connection) {
    open.delete(connection);
    inUse.delete(connection);
  },
};

/** Its start may have been before the events were watched. */
function waitEnded(pool: Pool): void {
  pool.waiting = Math.max(0, pool.waiting - 1);
}

/** Counts the connections of a client, once whoever calls this. Returns what ends it, when each caller has called it. */
export function watchPool(client: MongoClientLike): () => void {
  const counted = state().clients.get(client) ?? begun(client);
  counted.holders += 1;
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    counted.holders -= 1;
    if (counted.holders === 0) counted.end();
  };
}

function begun(client: MongoClientLike): Counted {
  const { clients, live } = state();
  const max = guarded(undefined, () => client.options?.maxPoolSize) ?? MAX_POOL_SIZE;
  const pools = new Map<string, Pool>();
  const listeners = Object.entries(CHANGES).map(([name, change]): [string, (event: PoolEvent) => void] => [
    name,
    ({ address, connectionId }) => {
      let pool = pools.get(address);
      if (!pool) {
        pool = { max, open: new Set(), inUse: new Set(), waiting: 0 };
        pools.set(address, pool);
        live.add(pools);
      }
      change(pool, connectionId);
    },
  ]);
  listeners.push([
    'connectionPoolClosed',
    ({ address }) => {
      pools.delete(address);
      if (pools.size === 0) live.delete(pools);
    },
  ]);
  const counted: Counted = {
    holders: 0,
    end() {
      for (const [name, listener] of listeners) client.off(name, listener);
      live.delete(pools);
      clients.delete(client);
    },
  };
  clients.set(client, counted);
  for (const [name, listener] of listeners) client.on(name, listener);
  return counted;
}
