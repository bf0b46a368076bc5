/** The answers in a page that was saved. It reads the same requests as a source, so that all views work. */
function savedCarrier(answers) {
  const shows = answers.shows;
  const shown = new Map(shows.map((show) => [show.event.id, show]));
  const isMark = (show) => show.event.kind === 'log' && show.json.logger === 'rez.mark';
  const none = (id) => ({ error: `this page was saved without an event ${id}` });

  /** By its id, or by its support code: the last six digits. */
  const isSession = (id, word) =>
    /^[0-9a-f]{6}$/i.test(word) ? id.toLowerCase().endsWith(word.toLowerCase()) : id === word;

  function matches({ event, json }, filter) {
    const { kind, state, level, lane, session, install, since_ms: since, text } = filter;
    if (kind && event.kind !== kind) return false;
    if (state && event.state !== state) return false;
    if (level && event.level !== level) return false;
    if (lane && event.lane !== lane) return false;
    if (session && !isSession(event.session ?? json.session ?? '', session)) return false;
    if (install && event.install !== install) return false;
    if (typeof since === 'number' && event.wall_ms < since) return false;
    return !text || writeJson(json).includes(text);
  }

  function list({ filter, before, after, limit, json }) {
    const wanted = filter ?? {};
    if (wanted.where)
      return { error: 'a saved page cannot search with a condition; search for a text, or open the queue with rezq' };
    const mark = wanted.since_mark ? shows.findIndex(isMark) : -1;
    const reached = mark < 0 ? shows : shows.slice(0, mark);
    const found = reached.filter(
      (show) =>
        matches(show, wanted) &&
        (typeof before !== 'number' || show.event.seq < before) &&
        (typeof after !== 'number' || show.event.seq > after),
    );
    const page = found.slice(0, Math.min(limit ?? 100, 100));
    return {
      events: page.map((show) => (json ? { ...show.event, json: show.json } : show.event)),
      before: page.length < found.length ? page.at(-1).event.seq : null,
      // A damaged row has no answer that could be saved.
      unreadable: 0,
      ...(wanted.since_mark ? { mark: mark >= 0 } : {}),
    };
  }

  function answer(request) {
    const { ask, id } = request;
    if (ask === 'list') return list(request);
    if (ask === 'status') return answers.status;
    if (ask === 'drops') return answers.drops;
    if (ask === 'about') return { ...answers.about, can: [] };
    const show = shown.get(id);
    if (ask === 'show') return show ?? none(id);
    if (ask === 'why') return show ? { why: show.why, lines: show.lines, final: show.final, known: true } : none(id);
    return { error: 'a saved page can only show what was saved; open the queue with rezq' };
  }

  return {
    // A copy, so that no view changes the answer of another.
    ask: async (request) => structuredClone(answer(request)),
    onChange: (callback) => {
      callback({ saved: true });
      return () => {};
    },
    label: answers.cut ? `saved: the newest ${count(shows.length)} events` : 'saved',
  };
}
