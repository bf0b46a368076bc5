/** Requests that say nothing of the service: they get no span, no metric and no row. */
import type { IncomingMessage } from 'node:http';
import { isObject, readText } from '../../../react-native/src/core/read';
import { trimmedPath } from './path';
import { shared } from './shared';

/** Ends of paths that probes and scrapers ask every few seconds. The routers may be mounted anywhere: `/api/health`. */
const PROBES = ['/health', '/health/detailed', '/live', '/ready', '/metrics'];

const leftOut = () => shared('probes', () => ({ requests: new WeakSet<IncomingMessage>() })).requests;

/** Leaves a request out of rows and metrics: a probe or a scrape whose path does not say so. Anything else is ignored. */
export function leaveOut(request: IncomingMessage): void {
  if (isObject(request)) leftOut().add(request);
}

/**
 * Whether a request is a probe or a scrape: a GET or HEAD of a path that ends so, or one that was left out. Before it is answered only
 * the path is known.
 */
export function isProbe(request: IncomingMessage): boolean {
  if (leftOut().has(request)) return true;
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD') return false;
  // Express takes the path of a router off `url`.
  const path = trimmedPath(readText(request, 'originalUrl') || readText(request, 'url'));
  return PROBES.some((end) => path.endsWith(end));
}
