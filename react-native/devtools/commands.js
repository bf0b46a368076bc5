/** The commands of `rezq` in the menu of `expo start`: each asks the app, and returns lines of text. */
'use strict';

const EVENTS = 20;

/** `ask(request)` resolves to the answer of the app. An `Error` is a sentence for the user. */
const commands = {
  async status(ask) {
    const { lines = [] } = await ask({ ask: 'status' });
    return lines.length > 0 ? lines : ['nothing waits'];
  },

  async list(ask) {
    const { events = [] } = await ask({ ask: 'list', limit: EVENTS });
    if (events.length === 0) return ['no event is in the queue or was stored lately'];
    return events.map(rowOf);
  },

  async why(ask, { event }) {
    const answer = await ask({ ask: 'why', id: await idOf(ask, String(event).trim()) });
    return answer.lines?.length > 0 ? answer.lines : [answer.why];
  },

  async 'send-now'(ask) {
    const { destinations = [] } = await ask({ tell: 'send_now' });
    return destinations.length > 0 ? destinations.map(({ text }) => text) : ['the app has no destination'];
  },

  async mark(ask, { text }) {
    const { id } = await ask({ tell: 'mark', text: String(text) });
    return [`marked ${text}: ${id}`];
  },

  /** What a developer has to mend. `rezq doctor` examines the file. */
  async doctor(ask) {
    const { lines = [], balance, fault = 'none' } = await ask({ ask: 'status', check: true });
    const found = [];
    if (fault !== 'none') found.push(`the fault ${fault} is on, so requests fail: choose none in the page`);
    if (!balance) return [...found, ...lines];
    if (balance.unreadable > 0) found.push(`${balance.unreadable} rows are damaged: see rezq salvage`);
    if (balance.routes?.length === 0) found.push('no destination was declared: name one in init');
    for (const { route, dead = 0, dropped = {}, waits = [] } of balance.routes ?? []) {
      if (dead > 0) found.push(`${route} has refused ${dead}: ask why of each, and send them again in the page`);
      for (const [reason, n] of Object.entries(dropped)) found.push(`${route} has lost ${n}: ${reason}`);
      found.push(...waits.map((sentence) => `${route} waits: ${sentence}`));
    }
    for (const [reason, n] of Object.entries(balance.refused ?? {}))
      found.push(`${n} were refused at the call: ${reason}`);
    return found.length > 0 ? found : ['nothing is wrong: no destination waits, and no event was refused or lost'];
  },
};

const rowOf = ({ wall_ms, kind, state, seq, id, name }) =>
  [new Date(wall_ms).toISOString(), String(kind).padEnd(13), String(state).padEnd(9), seq, id, name].join('  ');

/** The id of an event of which the start, or the number, is known. */
async function idOf(ask, event) {
  if (/^[\da-f]{8}-[\da-f-]{27}$/i.test(event)) return event;
  const where = /^\d+$/.test(event) ? `seq = ${event}` : /^[\da-f-]{4,}$/i.test(event) ? `id ~ ${event}*` : undefined;
  if (where === undefined) throw new Error(`${event} is no id: copy one from list`);
  const { events = [] } = await ask({ ask: 'list', filter: { where }, limit: 2 });
  if (events.length === 1) return events[0].id;
  throw new Error(events.length === 0 ? `no event ${event} was stored lately` : `several ids begin with ${event}`);
}

module.exports = { commands };
