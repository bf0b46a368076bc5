/**
 * The same failing request with the official agents and with this package: what each of them reports. The table is in
 * `docs/guide/backend-differences.md`; `REZ_BLESS=1` writes it.
 */
import { fork } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { newFolder } from './engine';
import { until } from './waiting';

const NEIGHBOURS = join(import.meta.dirname, '../neighbours');
const PAGE = join(import.meta.dirname, '../../docs/guide/backend-differences.md');
const notInstalled = existsSync(join(NEIGHBOURS, 'node_modules/dd-trace'))
  ? ''
  : ' (skipped: run npm ci in neighbours)';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const AGENTS = ['@rez/monitor-node', '@sentry/node 11', '@sentry/node 10', 'dd-trace'] as const;

/** What an agent has sent: all of it as text, without escapes, and the parts of envelopes. */
interface Sent {
  text: string;
  items: { type: string; body: Record<string, unknown> }[];
}

const event = ({ items }: Sent) => JSON.stringify(items.find(({ type }) => type === 'event')?.body ?? {});
const has =
  (...parts: (string | RegExp)[]) =>
  (sent: Sent) =>
    parts.every((part) => sent.text.search(part) >= 0);

/** What can be known of the request, and how it is found. The order is that of the table. */
const FACTS: [fact: string, isReported: (sent: Sent) => boolean][] = [
  [
    'type and message of the error',
    has('TypeError', "Cannot read properties of undefined \\(reading 'toUpperCase'\\)"),
  ],
  ['frames with file and line', has(/app\.cjs/, /lineno":\d|app\.cjs:\d+/)],
  ['lines of source around a frame', has('context_line')],
  ['whether the app caught the error', (sent) => /"handled":/.test(event(sent))],
  ['release and environment', has('shop@2.4.1|"version":"2.4.1"', 'production')],
  ['method, status and template of the route', has('POST', '500', '/carts/:id/pay')],
  ['path of the request', has('/carts/7/pay')],
  [
    'the trace of the caller goes on (header `traceparent`)',
    has(`"trace_id":"${TRACE}"|"_dd.p.tid":"${TRACE.slice(0, 16)}"`),
  ],
  ['duration of the request', has(/"(duration|start_timestamp)":/)],
  ['spans of middleware', has('jsonParser')],
  ['version of Node.js', has(/"version":"v?24\.|lang_version|"runtime":\{"name":"node"/)],
  ['operating system', has(/Debian|"os":\{"name"/)],
  ['memory and processor of the machine', has('processor_count')],
  ['name of the host', has(/"server_name":|"_dd.hostname"/)],
  ['names and types of the body', has(/"amount":"number"/)],
  ['**values** of the body', has('SECRET4')],
  ['**values** of the query', has('SECRET1')],
  ['**value** of the cookie', has('SECRET3')],
  ['**value** of `authorization`', has('SECRET2')],
  ['address of the client', has('203.0.113.7')],
];

/** Sends the request to a server with an agent, and collects what the agent sends until it has told of the error. */
async function sentBy(agent: string): Promise<Sent> {
  const bodies: { type: string; body: Buffer }[] = [];
  const sink = createServer((request, answer) => {
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const whole = Buffer.concat(parts);
      const isZipped = request.headers['content-encoding'] === 'gzip';
      bodies.push({ type: request.headers['content-type'] ?? '', body: isZipped ? gunzipSync(whole) : whole });
      answer.end('{}');
    });
  });
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve));
  const child = fork(join(NEIGHBOURS, 'app.cjs'), [agent], {
    cwd: NEIGHBOURS,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {
      ...process.env,
      VITEST: '',
      NODE_ENV: 'production',
      SINK: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`,
      REZ_FOLDER: newFolder(),
      DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
      DD_REMOTE_CONFIGURATION_ENABLED: 'false',
    },
  });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (message) => resolve((message as { port: number }).port));
      child.once('exit', (code) => reject(new Error(`${agent} ended with ${code}`)));
    });
    const answer = await fetch(`http://127.0.0.1:${port}/carts/7/pay?coupon=SECRET1&page=2`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer SECRET2',
        cookie: 'sid=SECRET3',
        'x-forwarded-for': '203.0.113.7',
        traceparent: `00-${TRACE}-00f067aa0ba902b7-01`,
      },
      body: JSON.stringify({ card: { pan: 'SECRET4' }, amount: 5 }),
    });
    expect(answer.status).toBe(500);
    return await until(() => complete(agent, bodies));
  } finally {
    child.removeAllListeners('exit');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    sink.close();
    sink.closeAllConnections();
  }
}

/** Sentry's SDK sends error and trace in envelopes of their own; this package sends the row of a failed request as a span. */
function complete(agent: string, bodies: readonly { type: string; body: Buffer }[]): Sent | undefined {
  const items = bodies.flatMap(({ type, body }) => (type.includes('msgpack') ? [] : envelope(body.toString())));
  const traces = bodies.filter(({ type }) => type.includes('msgpack')).map(({ body }) => unpacked(body));
  const wanted: Record<string, RegExp> = {
    '@sentry/node 11': /^span$/,
    '@sentry/node 10': /^transaction$/,
    '@rez/monitor-node': /^transaction$/,
  };
  const timing = wanted[agent];
  const isComplete = timing
    ? items.some(({ type }) => type === 'event') && items.some(({ type }) => timing.test(type))
    : traces.some((trace) => trace.includes('express.request'));
  if (!isComplete) return undefined;
  const text = [...items.map(({ body }) => JSON.stringify(body)), ...traces].join('\n').replaceAll('\\"', '"');
  return { text, items };
}

/** The items of an envelope: a line with the type, and a line with the body. */
function envelope(text: string): Sent['items'] {
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  const items: Sent['items'] = [];
  for (let at = 1; at + 1 < lines.length; at += 2) {
    items.push({ type: JSON.parse(lines[at] ?? '{}').type, body: JSON.parse(lines[at + 1] ?? '{}') });
  }
  return items;
}

function unpacked(body: Buffer): string {
  const { decode } = createRequire(join(NEIGHBOURS, 'package.json'))('@msgpack/msgpack');
  return JSON.stringify(decode(body), (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

test.skipIf(notInstalled !== '')(
  `each agent reports of a failing request what the page says${notInstalled}`,
  { timeout: 300_000 },
  async () => {
    const reports = new Map<string, Sent>();
    for (const agent of AGENTS) reports.set(agent, await sentBy(agent));
    const rows = FACTS.map(([fact, isReported]) => {
      const cells = AGENTS.map((agent) => (isReported(reports.get(agent) as Sent) ? 'yes' : ''));
      return `| ${fact} | ${cells.join(' | ')} |`;
    });
    const table = [`| | ${AGENTS.join(' | ')} |`, `| --- |${' --- |'.repeat(AGENTS.length)}`, ...rows].join('\n');
    const page = readFileSync(PAGE, 'utf8');
    const [begin, end] = ['<!-- generated by backend/tests/differences.test.ts -->\n', '\n<!-- to here -->'];
    const from = page.indexOf(begin) + begin.length;
    const to = page.indexOf(end, from);
    if (process.env.REZ_BLESS === '1') writeFileSync(PAGE, page.slice(0, from) + table + page.slice(to));
    else expect(page.slice(from, to)).toBe(table);
  },
);
