import type { Port } from '../../native/port';
import { recordingPort } from '../../testing/recording-port';
import { Client } from '../client';

function answering(answers: Partial<Port>): Client {
  const client = new Client({ port: recordingPort(answers) });
  client.open({});
  return client;
}

const NONSENSE = ['', '[', '5', 'null', '"text"', '[]', '[5, null]', '{}', '{"destinations":5}', '{"status":null}'];

test.each(NONSENSE)('the answer %s has the declared types', async (json) => {
  const client = answering({
    status: () => json,
    metrics: () => json,
    takeLog: () => json,
    traceHeaders: () => json,
    flush: () => Promise.resolve(json),
    why: () => Promise.resolve(json),
    lastRun: () => Promise.resolve(json),
  });
  expect(client.status()).toBeUndefined();
  expect(client.metrics()).toEqual([]);
  expect(client.takeLog()).toEqual([]);
  expect(Object.values(client.traceHeaders({ trace_id: 'a', span_id: 'b' }, 'https://x'))).not.toContainEqual(
    expect.not.stringMatching(''),
  );
  expect((await client.flush(1)).destinations).toEqual([]);
  expect(Array.isArray(await client.why('id', 1))).toBe(false);
  expect(await client.lastRun(1)).toBeNull();
});

test('wrong members of an answer get the value of an empty one, the rest stays', async () => {
  const one = {
    destination: 'ga4',
    delivered: '3',
    left: 2,
    held: { code: 5, until_ms: 'x', failures: null },
    text: 1,
  };
  const client = answering({
    status: () => '{"status":{"folder":"/q"},"lines":["ok",5,null]}',
    metrics: () => '[{"name":"m","last":1,"count":"2","p50":1,"p95":1},7]',
    takeLog: () => '{"level":"warn"}',
    traceHeaders: () => '{"traceparent":"00","baggage":5}',
    flush: () => Promise.resolve(JSON.stringify({ destinations: [one, 5], error: 7 })),
  });
  expect(client.status()).toEqual({ status: { folder: '/q' }, lines: ['ok'] });
  expect(client.metrics()).toEqual([{ name: 'm', last: 1, count: 0, p50: 1, p95: 1, p99: 0 }]);
  expect(client.takeLog()).toEqual([]);
  expect(client.traceHeaders({ trace_id: 'a', span_id: 'b' }, 'https://x')).toEqual({ traceparent: '00' });
  expect(await client.flush(1)).toEqual({
    destinations: [{ destination: 'ga4', delivered: 0, left: 2, held: { code: '', why: '', failures: 0 }, text: '' }],
  });
});

test('an engine that answers `open` with an error that is no text is not open', () => {
  for (const json of ['{"error":5}', '{"error":""}', '[]', '"seed"']) {
    const client = new Client({ port: recordingPort({ open: () => json }) });
    expect(client.open({})).toContain('native module');
    expect(client.opened).toBe(false);
  }
  expect(answering({ open: () => '{"seed":5,"error":null}' }).opened).toBe(true);
});
