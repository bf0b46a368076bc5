/** Counts the requests of every http server in the process, from Node.js's own channel: no middleware, whatever was loaded first. */
import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { guarded } from '../../../react-native/src/core/guard';
import { isProbe } from '../core/probes';
import { routeOf } from '../http/endpoint';
import { statusOf } from '../http/server';
import { MAX_ROUTES, METHODS, OTHER } from './policy';
import type { Metrics } from './registry';

const START = Symbol('start');

type Timed = ServerResponse & { [START]?: number };

/** The two metrics with their labels set. */
interface Series {
  observe(seconds: number): void;
}

/** Counts until the process ends. */
export function countHttp(metrics: Metrics): void {
  const seriesOf = cache(metrics);
  // One function for all responses: a request costs two properties and no closure. `close` follows the end of an answer, and also comes
  // when the client goes away before, which `http.server.response.finish` does not tell.
  function closed(this: Timed): void {
    guarded(undefined, () => {
      if (isProbe(this.req)) return;
      const seconds = (performance.now() - (this[START] ?? 0)) / 1_000;
      seriesOf(this.req.method ?? '', routeOf(this.req), statusOf(this)).observe(seconds);
    });
  }
  subscribe('http.server.request.start', (message) => {
    const { response } = message as { response: Timed };
    response[START] = performance.now();
    response.on('close', closed);
  });
}

/** The series of a method, a route and a status, each made once: prom-client makes a text of the labels at each look-up. */
function cache({ requests, requestSeconds }: Metrics): (method: string, route: string, status: number) => Series {
  const routes = new Map<string, Map<string, Map<number, Series>>>();
  return (anyMethod, anyRoute, status) => {
    const route = routes.has(anyRoute) || routes.size < MAX_ROUTES ? anyRoute : OTHER;
    const methods = got(routes, route, () => new Map<string, Map<number, Series>>());
    const method = METHODS.has(anyMethod) ? anyMethod : OTHER;
    const statuses = got(methods, method, () => new Map<number, Series>());
    return got(statuses, status, () => {
      const labels = { method, route, status: String(status) };
      const seconds = requestSeconds?.labels(labels);
      const count = requests?.labels(labels);
      return {
        observe(value) {
          seconds?.observe(value);
          count?.inc();
        },
      };
    });
  };
}

function got<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
