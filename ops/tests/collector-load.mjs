// Measures what one core of the Collector takes: `node collector-load.mjs`, with rez-otelcol in PATH. Prints events per second of CPU.
//
// Log records as rezIngest sends them, about 650 bytes each, 500 in a request, from four clients; out go the files that are named.
import fs from 'node:fs';
import { PROGRAM, place, sendLogs, startAt, text } from './collector.mjs';
import { missing, until } from './programs.mjs';

const REQUESTS = 100;
const RECORDS = 500;
const CLIENTS = 4;

const why = missing(PROGRAM);
if (why) throw new Error(why);

async function measure(names, variables = () => ({})) {
  let end;
  const t = {
    after: (action) => {
      end = action;
    },
  };
  const at = await place(t);
  const gateway = await place(t);
  await startAt(t, gateway, ['file'], { REZ_ARCHIVE_FILE: gateway.archive });
  await startAt(t, at, names, { REZ_ARCHIVE_FILE: at.archive, ...variables(gateway) });
  const texts = Array.from({ length: RECORDS }, (_, number) => `GET /products/{id} ${number}`);
  const of = {
    event: 'rez.api_call',
    attributes: {
      'rez.kind': 'api_call',
      'rez.duration_us': 120_000,
      'url.template': '/products/{id}',
      'http.request.method': 'GET',
      'session.id': '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11',
      'rez.event_id': '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11',
      'url.full': `https://api.rezapp.com/products/4711/${'x'.repeat(200)}`,
    },
  };
  const before = await cpu(at);
  let left = REQUESTS;
  const client = async () => {
    while (left-- > 0) {
      const status = await sendLogs(at, texts, of);
      if (status !== 200) throw new Error(`the Collector answers ${status}`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const out = names.includes('gateway') ? gateway : at;
  await until('everything is out', () => count(out) === REQUESTS * RECORDS);
  const rate = (REQUESTS * RECORDS) / ((await cpu(at)) - before);
  console.log(`${names.join(' + ')}: ${Math.round(rate / 100) * 100} events per second of CPU`);
  await end();
}

/** How many records a file has, without reading them all as JSON. */
const count = ({ archive }) =>
  fs.existsSync(archive) ? fs.readFileSync(archive, 'utf8').split('"eventName"').length - 1 : 0;

async function cpu(at) {
  return Number(/^otelcol_process_cpu_seconds(?:_total)?(?:\{.*\})? (\S+)$/m.exec(await text(at.own))?.[1]);
}

await measure(['file']);
await measure(['file', 'prometheus']);
await measure(['gateway'], (gateway) => ({ REZ_GATEWAY_ENDPOINT: gateway.url }));
