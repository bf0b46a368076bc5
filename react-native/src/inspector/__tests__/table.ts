/** A native side that answers the inspector from a table of events, with what was asked and told. */
import type { EventRow } from '../client';

type Request = Record<string, unknown> & { filter?: Record<string, unknown> };

export interface Row extends EventRow {
  json: Record<string, unknown>;
}

export interface Table {
  rows: Row[];
  requests: Request[];
  /** In the place of the answer to a question or an order of this name. */
  instead: Record<string, string | Promise<string>>;
  inspect(request: string): Promise<string>;
  /** Adds the events of a document, on the screen of this name. */
  store(document: string, screen?: string): void;
  /** The requests with this `ask` or `tell`. */
  of(name: string): Request[];
}

const NOW = 1_795_400_000_000;

export function event(seq: number, more: Partial<Row> = {}): Row {
  return {
    seq,
    id: `019f0c1e-7c1e-7a53-9b0e-${String(seq).padStart(12, '0')}`,
    kind: 'analytics',
    name: `event ${seq}`,
    level: '',
    wall_ms: NOW + seq,
    bytes: 512,
    routes: [
      { route: 'sentry/sentry.envelope', state: 'queued', text: 'queued' },
      { route: 'team/rez.batch', state: 'delivered', text: 'delivered 2026-11-23T08:40:00.000Z' },
    ],
    json: { name: `event ${seq}`, attrs: { seq } },
    ...more,
  };
}

const OUTAGE = 'the server has an outage; next attempt 2026-11-23T08:40:40.000Z; after 1 failure';
const STOPPED = 'stopped: the write key was refused (401)';
const PROBE = `${STOPPED}; next probe 2026-11-23T09:40:00.000Z`;
const held = (code: string, why: string, until_ms: number | null) => ({ code, failures: 0, until_ms, why });

export const STATUS = {
  fault: 'none',
  status: {
    routes: [
      {
        route: 'sentry/sentry.envelope',
        destination: 'sentry',
        waiting: [0, 2, 1, 0],
        delivered: 30,
        dead: 4,
        in_flight: false,
        stopped: false,
        dropped: { rejected: 2, expired: 1 },
        held: { ...held('outage', 'the server has an outage', NOW + 40_000), failures: 1 },
      },
      {
        route: 'team/rez.batch',
        destination: 'team',
        waiting: [0, 1, 1, 0],
        delivered: 33,
        dead: 0,
        in_flight: false,
        stopped: true,
        dropped: {},
        held: held('stopped', STOPPED, NOW + 3_600_000),
      },
      {
        route: 'team2/rez.batch',
        destination: 'team2',
        waiting: [0, 0, 1, 0],
        delivered: 0,
        dead: 0,
        in_flight: false,
        stopped: false,
        dropped: {},
        held: held('paused', 'paused by the app', null),
      },
    ],
    refused: [
      { reason: 'ring_full', kind: 'log', count: 4 },
      { reason: 'ring_full', kind: 'metric', count: 3 },
      { reason: 'sampled', kind: 'span', count: 1 },
    ],
  },
  lines: [
    'the queue is open (/data/shop/rez)',
    '36 events accepted',
    'refused at the call (not part of the balance): ring_full 7, sampled 1',
    `sentry/sentry.envelope: 3 waiting; ${OUTAGE}`,
    `team/rez.batch: 2 waiting; ${PROBE}`,
    'team2/rez.batch: 1 waiting; paused by the app',
  ],
};

const UNKNOWN = 'not known: not recorded here, still in the ring, or settled more than 100 requests ago';
/** Rows that the engine examines at once, and how often for one request. */
const CHUNK = 200;
const CHUNKS = 5;

export function table(rows: Row[] = []): Table {
  let fault: unknown = 'none';
  const self: Table = {
    rows,
    requests: [],
    instead: {},
    of: (name) => self.requests.filter(({ ask, tell }) => ask === name || tell === name),
    store(document, screen) {
      const { items } = JSON.parse(document) as { items: { id?: string; kind?: string }[] };
      for (const { id, kind, ...rest } of items) {
        if (id === undefined || kind === undefined) continue;
        const seq = Math.max(0, ...self.rows.map((row) => row.seq)) + 1;
        const json = { ...rest, ...(screen !== undefined && { view: { name: screen } }) };
        self.rows.push(event(seq, { id, kind, routes: [], json }));
      }
    },
    async inspect(text) {
      const request = JSON.parse(text) as Request;
      self.requests.push(request);
      const name = String(request.ask ?? request.tell);
      const instead = self.instead[name];
      return instead !== undefined ? instead : JSON.stringify(answer(request, name));
    },
  };

  function answer(request: Request, name: string): object {
    const row = self.rows.find(({ id }) => id === request.id);
    switch (name) {
      case 'list':
        return page(request);
      case 'show':
        if (!row) return { error: UNKNOWN };
        return { event: listed(row), json: row.json, wall_ms: row.wall_ms, mono_ms: 14_087_320, why: sentence(row) };
      case 'why':
        return row ? { why: sentence(row), final: isFinal(row) } : { why: UNKNOWN, final: false };
      case 'status':
        return { ...STATUS, fault };
      case 'fault':
        fault = request.fault;
        return { fault };
      case 'mark':
        return { id: 'f0' };
      case 'send_now':
        return {
          destinations: [
            { destination: 'team', delivered: 2, left: 0, held: null, text: 'team: 2 delivered, nothing left' },
            {
              destination: 'sentry',
              delivered: 0,
              left: 3,
              held: STATUS.status.routes[0]?.held,
              text: `sentry: 0 delivered, 3 left: ${OUTAGE}`,
            },
          ],
        };
      default:
        return {};
    }
  }

  /** The state of an event is no column: rows are examined one by one, so a page can be short and still have a next one. */
  function page({ filter = {}, before, limit }: Request): object {
    const { state, kind, text, since_mark } = filter;
    const marks = self.rows.filter(({ json }) => json.logger === 'rez.mark').map(({ seq }) => seq);
    const after = since_mark === true ? Math.max(0, ...marks) : -1;
    const rows = self.rows
      .filter((row) => row.seq > after)
      .filter((row) => kind === undefined || row.kind === kind)
      .filter((row) => text === undefined || JSON.stringify(row.json).includes(String(text)))
      .sort((a, b) => b.seq - a.seq);
    const found: Row[] = [];
    let next: number | null = before === undefined ? Number.POSITIVE_INFINITY : Number(before);
    for (let chunk = 0; chunk < CHUNKS && next !== null && found.length < Number(limit); chunk++) {
      const from: number = next;
      const examined = rows.filter(({ seq }) => seq < from).slice(0, CHUNK);
      found.push(...examined.filter((row) => state === undefined || stateOf(row) === state));
      next = examined.length === CHUNK ? (examined[CHUNK - 1]?.seq ?? null) : null;
    }
    const events = found.slice(0, Number(limit));
    if (found.length > events.length) next = events[events.length - 1]?.seq ?? null;
    return { events: events.map(listed), before: next };
  }

  return self;
}

/** An event of a list: without its payload, and without a level that it does not have. */
function listed(row: Row): object {
  const { json, level, ...rest } = row;
  return { ...rest, ...(level !== '' && { level }), state: stateOf(row) };
}

const WAITING = ['queued', 'parked', 'in_flight'];

function stateOf({ routes }: Row): string {
  const states = routes.map(({ state }) => (WAITING.includes(state) ? 'queued' : state));
  return ['queued', 'dead', 'dropped', 'delivered'].find((state) => states.includes(state)) ?? 'settled';
}

function isFinal({ routes }: Row): boolean {
  return routes.length > 0 && !routes.some(({ state }) => WAITING.includes(state));
}

function sentence({ routes }: Row): string {
  if (routes.length === 0) return 'stored; no destination takes it yet';
  return routes.map(({ route, text }) => `${route}: ${text}`).join('; ');
}
