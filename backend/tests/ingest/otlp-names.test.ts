/** The Collector gets from `otlpSink` the attributes that it gets from the engine's own OTLP destination: compared vector by vector. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readBatch } from '../../src/ingest/batch';
import { type Row, readEvent } from '../../src/ingest/event';
import { logsRequest } from '../../src/ingest/sinks/otlp';
import { NOW } from './server';

const EXPECTED = join(import.meta.dirname, '../../../tests/contract/expected');

/** A record or resource: its attributes by name, and what else the engine sends of it. */
type Attributes = Record<string, unknown>;
interface Record_ {
  attributes: Attributes;
  severityNumber?: unknown;
  body?: unknown;
  eventName?: unknown;
  traceId?: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: any member of OTLP's JSON is read
type Otlp = any;

/** The value of an attribute, in one form for both encodings. */
function plain(value: Otlp): unknown {
  const [kind, inner] = Object.entries(value ?? {})[0] ?? [];
  if (kind === 'intValue' || kind === 'doubleValue') return Number(inner);
  if (kind === 'arrayValue') return ((inner as Otlp).values ?? []).map(plain);
  if (kind === 'kvlistValue') return attributes((inner as Otlp).values ?? []);
  return inner ?? null;
}

function attributes(list: Otlp): Attributes {
  return Object.fromEntries((list ?? []).map(({ key, value }: Otlp) => [key ?? '', plain(value)]));
}

/** The fields of a message of protobuf. */
function* fieldsOf(bytes: Buffer): Generator<[number, Buffer | bigint]> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    if ((key & 7) === 0) yield [key >> 3, varint()];
    else {
      const length = (key & 7) === 1 ? 8 : Number(varint());
      yield [key >> 3, bytes.subarray(at, at + length)];
      at += length;
    }
  }
}

const all = (bytes: Buffer, tag: number) =>
  [...fieldsOf(bytes)].filter(([one]) => one === tag).map(([, value]) => value as Buffer);
const one = (bytes: Buffer, tag: number) => all(bytes, tag)[0];

/** `AnyValue` of protobuf as OTLP's JSON. */
function anyOf(bytes: Buffer): Otlp {
  for (const [tag, value] of fieldsOf(bytes)) {
    if (tag === 1) return { stringValue: String(value) };
    if (tag === 2) return { boolValue: value === 1n };
    if (tag === 3) return { intValue: String(BigInt.asIntN(64, value as bigint)) };
    if (tag === 4) return { doubleValue: (value as Buffer).readDoubleLE() };
    if (tag === 5) return { arrayValue: { values: all(value as Buffer, 1).map(anyOf) } };
    return { kvlistValue: { values: pairs(value as Buffer, 1) } };
  }
  return {};
}

function pairs(bytes: Buffer, tag: number): Otlp[] {
  return all(bytes, tag).map((pair) => ({
    key: String(one(pair, 1) ?? ''),
    value: anyOf(one(pair, 2) ?? Buffer.alloc(0)),
  }));
}

/** A request of protobuf as OTLP's JSON, as far as it is compared. */
function decode(hex: readonly string[]): Otlp {
  const request = Buffer.from(hex.join(''), 'hex');
  return {
    resourceLogs: all(request, 1).map((resource) => ({
      resource: { attributes: pairs(one(resource, 1) ?? Buffer.alloc(0), 1) },
      scopeLogs: all(resource, 2).map((scope) => ({
        logRecords: all(scope, 2).map((record) => ({
          severityNumber: Number(one(record, 2)),
          body: { stringValue: String(one(one(record, 5) ?? Buffer.alloc(0), 1) ?? '') },
          attributes: pairs(record, 6),
          ...(one(record, 9) && { traceId: one(record, 9)?.toString('hex') }),
          ...(one(record, 12) && { eventName: String(one(record, 12)) }),
        })),
      })),
    })),
  };
}

/** The records of a request by their id, and its resources. */
function indexed(request: Otlp) {
  const records = new Map<string, Record_>();
  const resources: Attributes[] = [];
  for (const { resource, scopeLogs } of request.resourceLogs ?? []) {
    resources.push(attributes(resource.attributes));
    for (const record of scopeLogs.flatMap(({ logRecords }: Otlp) => logRecords)) {
      const found = attributes(record.attributes);
      const { severityNumber, body, eventName, traceId } = record;
      records.set(String(found['log.record.uid']), { attributes: found, severityNumber, body, eventName, traceId });
    }
  }
  return { records, resources };
}

function rowsOf(name: string): Row[] {
  const requests = JSON.parse(readFileSync(join(EXPECTED, 'rez', name), 'utf8'))['rez.batch'] as Otlp[];
  return requests.flatMap(({ json }) => {
    const batch = readBatch(json);
    return batch.events.map((event, index) => {
      const row = readEvent(index, event, 'shop', batch, { receivedMs: NOW });
      if ('code' in row) throw new Error(`${name}: ${row.code}`);
      return row;
    });
  });
}

const SPANS = ['api_call', 'image_load', 'screen_load', 'app_start', 'long_task', 'span'];

// Some vectors are about OTLP alone.
const names = readdirSync(join(EXPECTED, 'otlp')).filter((name) => name.endsWith('.json') && rowsOf(name).length > 0);

test.each(names)('%s', (name) => {
  const requests = JSON.parse(readFileSync(join(EXPECTED, 'otlp', name), 'utf8'))['otlp.logs'] as Otlp[];
  const ours = indexed(logsRequest(rowsOf(name)));
  for (const { hex, json } of requests ?? []) {
    const theirs = indexed(hex ? decode(hex) : json);
    for (const resource of theirs.resources) expect(ours.resources).toContainEqual(expect.objectContaining(resource));
    for (const [id, record] of theirs.records) {
      const mine = ours.records.get(id);
      expect(mine, id).toMatchObject(record);
      // What the engine leaves out has a name of ours.
      const more = Object.keys(mine?.attributes ?? {}).filter((key) => !(key in record.attributes));
      expect(more.filter((key) => !key.startsWith('rez.'))).toEqual([]);
    }
  }
});

test('what the engine sends as spans and metrics is a record that keeps every member', () => {
  let seen = 0;
  for (const name of readdirSync(join(EXPECTED, 'rez')).filter((one) => one.endsWith('.json'))) {
    const rows = rowsOf(name).filter(({ kind }) => SPANS.includes(kind));
    const { records } = indexed(logsRequest(rows));
    for (const { id, kind, fields } of rows) {
      seen += 1;
      const { attributes: found, eventName } = records.get(id) ?? { attributes: {} };
      expect(eventName).toBe(`rez.${kind}`);
      expect(found['rez.duration_us']).toBe(fields.duration_us);
    }
  }
  expect(seen).toBeGreaterThan(50);
});
