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

  /** As `rezq doctor expo:`: the app examines itself. */
  async doctor(ask) {
    const { findings = [] } = await ask({ ask: 'doctor' });
    if (findings.length === 0) return ['nothing is wrong'];
    return findings.flatMap(({ area, text, mend }) => [`✗ ${area}: ${text}`, `  ${mend}`]);
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
