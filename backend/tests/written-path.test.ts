import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { writtenPath } from '../src/http/written-path';

/** What a layer of Express 4 makes of a path. */
const compile = createRequire(createRequire(import.meta.url).resolve('express4'))('path-to-regexp') as (
  path: unknown,
  keys: object[],
  options: object,
) => RegExp;

function written(path: unknown, asked: string): string {
  const keys: { name?: unknown }[] = [];
  const regexp = compile(path, keys, { end: false, strict: false, sensitive: false });
  return writtenPath({ regexp, keys }, asked);
}

test('each parameter has its name in its own place, whatever its value is', () => {
  expect(written('/real/:a', '/real/real/x')).toBe('/real/:a');
  expect(written('/:a/:b/c', '/b/a/c/d')).toBe('/:a/:b/c');
  expect(written('/:a-:b', '/1-2/x')).toBe('/:a-:b');
  expect(written('/carts/:cart?', '/carts')).toBe('/carts');
  expect(written('/:id(\\d+)/x', '/42/x')).toBe('/:id/x');
  expect(written('/v1.0/:a', '/v1.0/7')).toBe('/v1.0/:a');
  expect(written(['/one', '/two/:a'], '/two/7/x')).toBe('/two/:a');
  expect(written('*', '/a/b')).toBe('/:0');
  expect(written('/files/*', '/files/a/b')).toBe('/files/:0');
});

test('of an expression of the app nothing that was asked for is told', () => {
  for (const path of [/^\/users\/\d+/, /^\/users\/(\d+)/g, '/users/[0-9]+', /users/]) {
    for (let at = 0; at < 2; at++) expect(written(path, '/users/42/x')).not.toContain('42');
  }
});
