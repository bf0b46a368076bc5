import { Types } from 'mongoose';
import { expect, test } from 'vitest';
import { shapeOf } from '../src/drivers/mongodb-shape';

test('names and operators stay, and values become the names of their types', () => {
  const filter = {
    name: 'asha',
    age: { $gte: 18 },
    active: true,
    gone: null,
    at: new Date(0),
    like: /asha/,
    owner: new Types.ObjectId(),
    price: new Types.Decimal128('1.5'),
    $or: [{ a: 1 }, { b: 'x' }],
    ids: { $in: [1, 2, 3, 4] },
    raw: Buffer.from('asha'),
    map: new Map([['k', 1]]),
  };
  expect(JSON.parse(shapeOf({ find: 'people', filter, limit: 5 }))).toEqual({
    filter: {
      name: 'string',
      age: { $gte: 'number' },
      active: 'boolean',
      gone: 'null',
      at: 'date',
      like: 'regex',
      owner: 'objectId',
      price: 'decimal128',
      $or: [{ a: 'number' }, { b: 'string' }],
      ids: { $in: ['number'] },
      raw: 'binary',
      map: { k: 'number' },
    },
  });
});

test('of documents that are inserted nothing is kept', () => {
  expect(shapeOf({ insert: 'people', documents: [{ name: 'asha' }] })).toBe('{}');
});

test('a query that is circular, deep, wide or throws has a shape too', () => {
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  expect(shapeOf({ filter: circular })).toContain('"object"');
  const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`name${at}`, at]));
  expect(shapeOf({ filter: wide }).length).toBeLessThanOrEqual(2_000);
  const throwing = {
    get filter() {
      throw new Error('no');
    },
  };
  expect(shapeOf(throwing)).toBe('{}');
  expect(shapeOf(null)).toBe('{}');
});
