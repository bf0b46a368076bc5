import { beforeEach, expect, test } from 'vitest';
import { routeOf } from '../src/http/endpoint';
import { setRequestPrivacy, VIEW_LIMITS } from '../src/http/request-privacy';
import { requestView } from '../src/http/request-view';
import { urlWithoutValues, withoutValues } from '../src/http/url';
import { incomingAddress, outgoingAddress, undiciAddress } from '../src/otel/addresses';
import { forget } from './app';

/** The rules belong to the process. */
beforeEach(() => {
  forget('request-privacy');
});

const headers = {
  accept: 'application/json',
  authorization: 'Bearer s',
  cookie: 'sid=s',
  'proxy-authorization': 's',
  'set-cookie': ['a=s'],
  'x-forwarded-for': '203.0.113.7',
  'api-key': 's',
  'user-agent': 'rez/1',
  'if-match': '"7"',
};

test('headers that say who asks are left out, and an app that allows all headers does not get those with secrets', () => {
  expect(requestView({ headers }).headers).toEqual({ accept: 'application/json' });
  setRequestPrivacy({ allHeaders: true });
  expect(requestView({ headers }).headers).toEqual({
    accept: 'application/json',
    'user-agent': 'rez/1',
    'if-match': '"7"',
  });
});

test('excluded attributes are left out, in the words of New Relic, with a wildcard at the end', () => {
  const request = {
    method: 'POST',
    originalUrl: '/a?coupon=1&page=2',
    headers,
    body: { card: 'x', quantity: 2 },
    ip: '127.0.0.1',
  };
  setRequestPrivacy({
    ip: true,
    exclude: ['request.headers.user*', 'request.parameters.coupon', 'request.body.c*', 'request.ip', '', 7 as never],
  });
  expect(requestView(request, 500)).toEqual({
    method: 'POST',
    url: '/a?page',
    status: 500,
    headers: { accept: 'application/json' },
    body: { quantity: 'number' },
  });
  setRequestPrivacy({ exclude: ['request.*'] });
  expect(requestView(request, 500)).toEqual({});
});

test('the address of the client is told only if the app asks for it', () => {
  expect(requestView({ ip: '203.0.113.7' })).toEqual({});
  setRequestPrivacy({ ip: true });
  expect(requestView({ ip: '203.0.113.7' })).toEqual({ ip: '203.0.113.7' });
});

test('of a query only the names are told, each once, and of a fragment nothing', () => {
  const url = (originalUrl: string) => urlWithoutValues({ originalUrl });
  expect(url('/a?b=SECRET&c&b=2&=x&&d=e=f#t=SECRET')).toBe('/a?b&c&d');
  expect(url('/a?')).toBe('/a');
  expect(url('')).toBe('');
  expect(url(`/${'x'.repeat(5_000)}?${'y'.repeat(5_000)}=1`).length).toBeLessThanOrEqual(
    VIEW_LIMITS.url + VIEW_LIMITS.name + 1,
  );
  expect(urlWithoutValues({ url: '/a\r\nset-cookie: b' })).toBe('/a  set-cookie: b');
});

test('of the address that a proxy gets, neither user nor host is told', () => {
  const url = (whole: string) => urlWithoutValues({ url: whole });
  expect(url('http://user:SECRET@host:80/a/b?c=SECRET')).toBe('/a/b?c');
  expect([url('http://user:SECRET@host'), url('http://user:SECRET@host?c=SECRET')]).toEqual(['/', '/?c']);
  // A path may hold both.
  expect(url('/a@b/http://c@d')).toBe('/a@b/http://c@d');
  expect(withoutValues('https://us@er:SECRET@host:8/a@b?c=SECRET#SECRET')).toBe('https://host:8/a@b?c');
});

test('spans of both directions have addresses without values, whatever the address is', () => {
  const options = { protocol: 'https:', host: '::1', port: 8443, path: '/a?b=SECRET', auth: 'u:SECRET' };
  expect(outgoingAddress(options)).toMatchObject({ 'url.full': 'https://[::1]:8443/a?b' });
  expect(outgoingAddress({ hostname: 'a.example', port: '80', path: 'b.example:443' })).toMatchObject({
    'url.full': 'http://a.example/b.example:443',
  });
  expect(outgoingAddress({})).toMatchObject({ 'url.full': 'http://localhost/' });
  expect(outgoingAddress(null as never)).toMatchObject({ 'url.full': undefined });
  expect(undiciAddress({ origin: 'nowhere', path: '?a=SECRET' })).toMatchObject({ 'url.query': undefined });
  const request = { url: '/a?b=SECRET&c=SECRET' } as never;
  expect(incomingAddress(request)).toEqual({ 'url.path': '/a', 'url.query': 'b&c' });
  setRequestPrivacy({ exclude: ['request.parameters.b'] });
  expect(incomingAddress(request)).toMatchObject({ 'url.query': 'c' });
  setRequestPrivacy({ exclude: ['*'] });
  const nothing = Object.values(incomingAddress(request)).filter((value) => value !== undefined);
  expect(nothing).toEqual([]);
});

test('the type of a body is told, never its values', () => {
  const body = (value: unknown) => requestView({ body: value }).body;
  expect(body('secret')).toBe('string(6)');
  expect(body(Buffer.from('secret'))).toBe('bytes(6)');
  expect(body([1, 2])).toBe('array(2)');
  expect(body(7)).toBe('number');
  expect(body(null)).toBeUndefined();
  expect(body({})).toBeUndefined();
  expect(body({ a: null, b: {}, c: true, d: undefined })).toEqual({
    a: 'null',
    b: 'object',
    c: 'boolean',
    d: 'undefined',
  });
  expect(Object.keys(body(Object.fromEntries(Array(500).entries())) ?? {})).toHaveLength(VIEW_LIMITS.names);
});

test('a request that throws when it is read, holds itself or is none is told as far as it can be', () => {
  const throwing = () => {
    throw new Error('no');
  };
  const circular: Record<string, unknown> = { method: 'GET' };
  circular.body = circular;
  circular.headers = circular;
  expect(requestView(circular as never)).toMatchObject({ method: 'GET', body: { body: 'object' } });
  const hostile = Object.defineProperties(
    { method: 'GET' },
    { headers: { get: throwing }, body: { get: throwing }, originalUrl: { get: throwing }, route: { get: throwing } },
  );
  expect(requestView(hostile)).toEqual({ method: 'GET' });
  expect(routeOf(hostile)).toBe('unknown');
  const hostileApp = {
    route: { path: '/:id' },
    app: {
      path: throwing,
      get router() {
        return throwing();
      },
    },
  };
  expect(routeOf(hostileApp)).toBe('unknown');
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  expect(requestView({ method: 'GET', body: proxy, headers: proxy as never })).toMatchObject({ method: 'GET' });
  expect(requestView(null as never)).toEqual({});
  expect(requestView({ headers: { accept: 'a\r\nb: c' } }).headers).toEqual({ accept: 'a  b: c' });
});

test('a route is told as its template with the path of its router, whose values are masked', () => {
  const route = (path: unknown, originalUrl: string, baseUrl = '') =>
    routeOf({ route: { path }, originalUrl, baseUrl });
  expect(route('/:id', '/carts/7')).toBe('/carts/:id');
  expect(route('/:id', '/carts/7', '/carts')).toBe('/carts/:id');
  expect(route('/', '/api/v2?x=/y/z')).toBe('/api/v2');
  expect(route('/', '/')).toBe('/');
  expect([route('', '/'), route('', '/carts', '/carts')]).toEqual(['/', '/carts']);
  expect(route(['/a', '/b/:id'], '/b/7')).toBe('/a|/b/:id');
  expect(route('/items/:item', '/users/42/items/7')).toBe('/users/:id/items/:item');
  expect(route('/items/:item', '/users/42/items/7', '/users/42')).toBe('/users/:id/items/:item');
  expect(route('/files/*splat', '/files/a/b/c')).toBe('/files/*splat');
  expect(route(/^\/a/, '/a')).toBe(String(/^\/a/));
  expect(route('/items/:item', '/teams/a%20b/c@d.e/items/7', '/teams/a%20b/c@d.e')).toBe('/teams/:id/:id/items/:item');
  expect(routeOf({ originalUrl: '/nowhere' })).toBe('unknown');
  for (const none of [null, 'text', 7, {}, { path: undefined }]) expect(routeOf({ route: none })).toBe('unknown');
  expect(requestView({ originalUrl: '/nowhere' }).route).toBeUndefined();
});
