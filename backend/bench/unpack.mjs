/**
 * How long it takes to unpack a body of `POST /v1/batch` at once and by a thread: `node bench/unpack.mjs`. The limit up to which the
 * receiving side does it at once, `SYNC_BYTES` of `src/ingest/limits.ts`, comes from these numbers.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzipSync } from 'node:zlib';

const ROUNDS = 3_000;
const limit = { maxOutputLength: 1024 * 1024 };

/** Events of about 350 bytes, with digits that do not repeat, as those of real ids. */
function body(events) {
  const digits = (n) => createHash('sha256').update(String(n)).digest('hex');
  const one = (_, n) => ({
    id: digits(n).slice(0, 32),
    kind: 'api_call',
    method: 'POST',
    url: `https://api.rezapp.com/orders/${n}/items`,
    duration_us: n * 997,
    trace: { trace_id: digits(-n).slice(0, 32), span_id: digits(n + 0.5).slice(0, 16) },
    attrs: { 'cart.items': 3, value: 1499.5, currency: 'INR' },
  });
  return gzipSync(JSON.stringify({ events: Array.from({ length: events }, one) }), { level: 3 });
}

async function median(work) {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    await work();
    times.push((performance.now() - began) * 1000);
  }
  return Math.round(times.sort((one, other) => one - other)[ROUNDS / 2]);
}

const later = promisify(gunzip);
for (const events of [5, 20, 60]) {
  const packed = body(events);
  const atOnce = await median(() => gunzipSync(packed, limit));
  const byThread = await median(() => later(packed, limit));
  console.log(`${events} events, ${packed.length} bytes: ${atOnce} us at once, ${byThread} us by a thread`);
}
