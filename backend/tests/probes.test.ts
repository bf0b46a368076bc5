import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { isProbe } from '../src/core/probes';
import { leaveOut } from '../src/index';

const asked = (url: string, method = 'GET', more: object = {}) => ({ url, method, ...more }) as IncomingMessage;

test('a probe is known by the end of its path, wherever its router is mounted', () => {
  for (const path of [
    '/health',
    '/api/health',
    '/api/health/',
    '/api/v1/health/detailed',
    '/live?x=1',
    '/ready',
    '/metrics',
  ]) {
    expect([path, isProbe(asked(path)), isProbe(asked(path, 'HEAD'))]).toEqual([path, true, true]);
  }
  // Inside a router of Express.
  expect(isProbe(asked('/', 'GET', { originalUrl: '/api/health' }))).toBe(true);
});

test('what only looks like a probe is none', () => {
  for (const path of [
    '/',
    '',
    '/healthy',
    '/alive',
    '/health/7',
    '/carts?next=/health',
    '/my-metrics',
    '/metrics.json',
  ]) {
    expect([path, isProbe(asked(path))]).toEqual([path, false]);
  }
  expect(isProbe(asked('/api/health', 'POST'))).toBe(false);
  expect(isProbe({ method: 'GET' } as IncomingMessage)).toBe(false);
});

test('a request that was left out is a probe whatever its path', () => {
  const request = asked('/scrape', 'POST');
  leaveOut(request);
  expect(isProbe(request)).toBe(true);
});

test('what is no request cannot be left out, and nothing is thrown', () => {
  for (const nothing of [null, undefined, 7, 'text']) expect(() => leaveOut(nothing as never)).not.toThrow();
});
