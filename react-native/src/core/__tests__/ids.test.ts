import { Ids } from '../ids';

const SEED = '000102030405060708090a0b0c0d0e0f';

test('an event id is a UUID of version 7 with the time in front', () => {
  const id = new Ids(SEED).event(1_795_400_000_000);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(1_795_400_000_000);
});

test('the generator is xoshiro128** from its seed', () => {
  // First outputs of the authors' C program for the state 1, 2, 3, 4.
  const ids = new Ids('00000001000000020000000300000004');
  expect(ids.span()).toBe((11_520).toString(16).padStart(8, '0') + (0).toString(16).padStart(8, '0'));
  expect(ids.span()).toBe((5_927_040).toString(16).padStart(8, '0') + (70_819_200).toString(16).padStart(8, '0'));
});

test('a hundred thousand ids are all different', () => {
  const ids = new Ids(SEED);
  const all = new Set<string>();
  for (let at = 0; at < 100_000; at++) all.add(ids.event(0));
  expect(all.size).toBe(100_000);
});

test('a seed that is none is replaced by chance', () => {
  expect(new Ids('').span()).not.toBe(new Ids('').span());
  expect(new Ids('g'.repeat(32)).span()).not.toBe(new Ids('g'.repeat(32)).span());
  expect(new Ids('0'.repeat(32)).trace()).toMatch(/[1-9a-f]/);
});

test.each([Number.NaN, -5, 2 ** 60, Number.POSITIVE_INFINITY])('a time of %p still gives a valid id', (time) => {
  expect(new Ids(SEED).event(time)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
});
