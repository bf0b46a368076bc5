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
    level: 'info',
    wall_ms: NOW + seq,
    bytes: 512,
    routes: [
      { route: 'sentry/sentry.envelope', state: 'queued', text: 'waits: the server has an outage' },
      { route: 'team/rez.batch', state: 'delivered', text: 'delivered' },
    ],
    json: { name: `event ${seq}`, attrs: { seq } },
    ...more,
  };
}

export const STATUS = {
  status: {
    routes: [
      {
        route: 'sentry/sentry.envelope',
        destination: 'sentry',
        waiting: [0, 2, 1, 0],
        delivered: 30,
        in_flight: false,
        stopped: false,
        dropped: { rejected: 2, expired: 1 },
        held: { code: 'outage', failures: 1, until_ms: NOW + 40_000, why: 'the server has an outage' },
      },
      { route: 'team/rez.batch', waiting: [0, 0, 0, 0], delivered: 33, in_flight: true, stopped: true, held: null },
    ],
    refused: [
      { reason: 'ring_full', kind: 'log', count: 4 },
      { reason: 'ring_full', kind: 'metric', count: 3 },
      { reason: 'sampled', kind: 'span', count: 1 },
    ],
  },
  lines: ['the queue is open (/data/shop/rez)', '36 events accepted'],
};

export function table(rows: Row[] = []): Table {
  const self: Table = {
    rows,
    requests: [],
    instead: {},
    of: (name) => self.requests.filter(({ ask, tell }) => ask === name || tell === name),
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
      case 'show': {
        if (!row) return { error: `no event ${request.id} in the queue` };
        const { json, ...rest } = row;
        return { event: rest, json, wall_ms: row.wall_ms, mono_ms: 14_087_320, why: sentence(row) };
      }
      case 'why':
        return row ? { why: sentence(row), final: isFinal(row) } : { why: 'not in the queue yet', final: false };
      case 'status':
        return STATUS;
      case 'fault':
        return { fault: request.fault };
      case 'mark':
        return { id: 'f0' };
      case 'send_now':
        return {
          destinations: [
            { destination: 'team', text: 'team: 2 delivered' },
            { text: 'sentry: 3 left: the server has an outage' },
          ],
        };
      default:
        return {};
    }
  }

  function page({ filter = {}, before, limit }: Request): object {
    const { state, kind, text } = filter;
    const found = self.rows
      .filter((row) => before === undefined || row.seq < Number(before))
      .filter((row) => state === undefined || row.routes.some((route) => route.state === state))
      .filter((row) => kind === undefined || row.kind === kind)
      .filter((row) => text === undefined || JSON.stringify(row).includes(String(text)))
      .sort((a, b) => b.seq - a.seq);
    const events = found.slice(0, Number(limit));
    const more = found.length > events.length;
    return {
      events: events.map(({ json, ...rest }) => rest),
      before: more ? (events[events.length - 1]?.seq ?? null) : null,
    };
  }

  return self;
}

function isFinal(row: Row): boolean {
  return row.routes.every(({ state }) => state !== 'queued' && state !== 'in_flight');
}

function sentence(row: Row): string {
  return row.routes.map(({ route, state }) => `${route}: ${state}`).join('; ');
}
