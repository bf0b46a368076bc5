import { freshApp } from '../../testing/app';
import { addTracingTargets, isTracingTarget } from '../targets';

beforeEach(() => {
  freshApp();
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

test('a host stands for itself and the hosts below it, whatever the rest of the URL says', () => {
  expect(addTracingTargets(['localhost', 'api.rezapp.com', '*.shop.example'])).toEqual([
    'localhost',
    'api.rezapp.com',
    '*.shop.example',
  ]);
  for (const url of [
    'http://localhost:8081/x',
    'https://api.rezapp.com',
    'https://API.rezapp.com/a?b#c',
    'https://v2.api.rezapp.com/a',
    'https://a.shop.example/',
  ]) {
    expect([url, isTracingTarget(url)]).toEqual([url, true]);
  }
  for (const url of [
    'https://other.example/?next=api.rezapp.com',
    'https://other.example/#api.rezapp.com',
    'https://api.rezapp.com.other.example/',
    'https://notapi.rezapp.com/',
    'https://my.localhost/',
    'https://shop.example/',
    'https://api.rezapp.com@other.example/',
    'https://other.example\\@api.rezapp.com/',
    'https://api.rezapp.com\t.other.example/',
    'ftp://api.rezapp.com/',
    '/relative',
    '',
  ]) {
    expect([url, isTracingTarget(url)]).toEqual([url, false]);
  }
});

test('a regular expression sees the URL without query and fragment', () => {
  addTracingTargets([/^\//, /rezapp\.com\/v\d/g]);
  expect(isTracingTarget('/orders?x=1')).toBe(true);
  expect(isTracingTarget('https://eu.rezapp.com/v1/orders')).toBe(true);
  // A global expression continues after its last match.
  expect(isTracingTarget('https://eu.rezapp.com/v1/orders')).toBe(true);
  for (const url of ['//other.example/x', '/\\other.example/x', 'https://other.example/?rezapp.com/v1']) {
    expect([url, isTracingTarget(url)]).toEqual([url, false]);
  }
});

test('a port and a path narrow a target, and both are told to the engine', () => {
  expect(addTracingTargets(['https://api.rezapp.com:8443/v1/'])).toEqual(['api.rezapp.com:8443/v1']);
  expect(isTracingTarget('https://api.rezapp.com:8443/v1/orders')).toBe(true);
  expect(isTracingTarget('https://api.rezapp.com:8443/v10')).toBe(false);
  expect(isTracingTarget('https://api.rezapp.com/v1')).toBe(false);
});

test('what is no target is left out, and so is a second one of the same text', () => {
  expect(addTracingTargets(['', '/api', 'a b', 'a:0', 'a:70000', 'a/../b', 5, null, {}, 'a', 'a', /x/, /x/])).toEqual([
    'a',
  ]);
  expect(isTracingTarget(5 as unknown as string)).toBe(false);
  expect(isTracingTarget('https://a/')).toBe(true);
});
