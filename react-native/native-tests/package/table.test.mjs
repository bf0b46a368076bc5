import assert from 'node:assert/strict';
import { test } from 'node:test';
import { current, table } from './table.mjs';

test('the README says about versions what the tests run', () => {
  assert.equal(current().table, table(), 'run `node native-tests/package/table.mjs`');
});
