/** The contract vectors through the client, on the real engine: what each destination receives, to the byte. */
import { WAIT_MS } from '../addon';
import { Collector } from '../collector';
import { idsOf } from './compare';
import { expectedRows, type Rows, type Vector, vectors } from './vector';
import { VENDORS } from './vendors';
import { expectedRequests, hyphened, receivedRequests, type Shown } from './wire';
import { played } from './world';

const VECTORS = vectors();

/** Vectors whose requests differ where a batch, or JavaScript, differs from the typed calls. */
const DIFFERENT: Record<string, { destinations: string[]; reason: string }> = {
  log_below_level: {
    destinations: ['rez', 'datadog', 'otlp'],
    reason: 'An entry of a batch that is below the level is counted, and reported as lost, when the batch is decoded.',
  },
  otlp_json: { destinations: ['otlp'], reason: 'A number of JavaScript cannot hold 9007199254740993.' },
};

/** The ids of these rows, each with that of the expected rows. */
function pairs(rows: Rows, vector: Vector): Map<string, string> {
  const expected = idsOf(expectedRows(vector.name), vector);
  return new Map(idsOf(rows, vector).map((id, at) => [id, expected[at] ?? id]));
}

/** Ids as the client makes them, with hyphens and without. */
function forms(ids: ReadonlyMap<string, string>): Map<string, string> {
  const both = [...ids].flatMap(([from, to]): [string, string][] => [
    [from, to],
    [hyphened(from), hyphened(to)],
  ]);
  return new Map(both);
}

/** What the destinations have got, and what they should have got. */
async function run(vector: Vector): Promise<{ found: Record<string, Shown[]>; expected: Record<string, Shown[]> }> {
  // The ids of the client are those of the expected rows in the second run, because some values are made from them.
  const first = pairs(await played(vector).end(), vector);
  const world = played(vector, 'client', forms(first));
  const rest = pairs(await world.end(), vector);
  const collectors = await Promise.all(VENDORS.map(() => Collector.start()));
  const destinations = VENDORS.map((vendor, at) => {
    const collector = collectors[at] as Collector;
    collector.answer = (request) => vendor.answer(request);
    return {
      name: vendor.name,
      kind: vendor.name,
      ...vendor.settings(collector, vector.destinations?.[vendor.name] ?? {}),
    };
  });
  expect(world.client.addDestinations({ destinations })).toBe('');
  const flushed = await world.client.flush(WAIT_MS);
  const left = flushed.destinations.map(({ destination, left }) => [destination, left]);
  expect(Object.fromEntries(left)).toEqual(
    Object.fromEntries(VENDORS.map(({ name }) => [name, vector.kept?.[name] ?? 0])),
  );
  const expected = VENDORS.map((vendor) => [vendor.name, expectedRequests(vendor, vector.name)] as const);
  const found = VENDORS.map((vendor, at) => [
    vendor.name,
    receivedRequests(vendor, collectors[at]?.requests ?? [], rest, expected[at]?.[1] ?? []),
  ]);
  return { found: Object.fromEntries(found), expected: Object.fromEntries(expected) };
}

test.each(VECTORS)('$name: $what', async (vector) => {
  const { found, expected } = await run(vector);
  const different = VENDORS.map(({ name }) => name).filter((name) => !equals(found[name], expected[name]));
  const known = DIFFERENT[vector.name]?.destinations ?? [];
  // The whole requests, so that a failure shows them.
  if (known.length === 0) expect(found).toEqual(expected);
  expect([...different].sort()).toEqual([...known].sort());
});

test('a changed byte of a body and another header are noticed', () => {
  const [vendor] = VENDORS;
  if (vendor === undefined) throw new Error('there is no vendor');
  const expected = expectedRequests(vendor, 'guide_log_message');
  const [request] = expected;
  const sent = (body: string, headers = request?.headers ?? {}) =>
    receivedRequests(vendor, [{ path: '/v1/batch', headers, body: Buffer.from(body) }], new Map(), expected);
  const right = sent('x'.repeat(request?.bytes ?? 0));
  expect(right).toMatchObject([{ url: request?.url, bytes: request?.bytes, headers: request?.headers }]);
  expect(right[0]?.crc32).not.toBe(sent('y'.repeat(request?.bytes ?? 0))[0]?.crc32);
  expect(sent('x', { ...request?.headers, 'x-other': '1' })[0]?.headers).not.toEqual(request?.headers);
});

function equals(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
