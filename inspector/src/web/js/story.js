/** The lanes of a timeline, from top to bottom. */
const LANES = ['Screens', 'API calls', 'Images', 'Work', 'User', 'Analytics', 'Problems'];

const LANE_OF = {
  screen_load: 'Screens',
  screen_view: 'Screens',
  app_start: 'Work',
  api_call: 'API calls',
  image_load: 'Images',
  long_task: 'Work',
  span: 'Work',
  hang: 'Problems',
  interaction: 'User',
  feedback: 'User',
  analytics: 'Analytics',
  revenue: 'Analytics',
  user_prop: 'Analytics',
  crash: 'Problems',
  error: 'Problems',
  app_exit: 'Problems',
  alert: 'Problems',
  message: 'Problems',
};

const sessionOf = (event) => event.session ?? event.json?.session ?? '';
const number = (value) => (typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0);

/** The sessions of events, newest first: `{id, start, end, events}`. */
function sessionsOf(events) {
  const sessions = new Map();
  for (const event of events) {
    const id = sessionOf(event);
    if (!isTime(event.wall_ms)) continue;
    if (!sessions.has(id)) sessions.set(id, { id, start: Infinity, end: -Infinity, events: [] });
    const session = sessions.get(id);
    session.events.push(event);
    session.start = Math.min(session.start, event.wall_ms);
    session.end = Math.max(session.end, event.wall_ms);
  }
  return [...sessions.values()].sort((a, b) => b.end - a.end);
}

/**
 * What is drawn for the events of a session: `{lane, id, kind, start, end, tone, name, text, inner, isMark}`, by time. A `lane` of
 * null is a line through all lanes.
 */
function storyOf(events) {
  const items = events.flatMap(itemsOf);
  const views = items.filter((item) => item.kind === 'screen_view').sort((a, b) => a.start - b.start);
  const end = items.reduce((latest, item) => Math.max(latest, item.end), -Infinity);
  // A screen is shown until the next one is.
  views.forEach((view, at) => {
    view.end = Math.max(views[at + 1]?.start ?? end, view.start);
    view.text = `shown for ${durationOf(view.end - view.start)}`;
  });
  return [...items, ...crumbsOf(events)].sort((a, b) => a.start - b.start);
}

function itemsOf({ id, kind, name, wall_ms: wall, json = {}, level }) {
  const took = number(json.duration_us) / 1000;
  const isBar = 'duration_us' in json && kind !== 'screen_view' && kind !== 'analytics' && kind !== 'session';
  const start = isBar && isTime(json.start_ms) ? json.start_ms : isBar ? wall - took : wall;
  const item = {
    id,
    kind,
    name: name || words(kind),
    start,
    end: isBar ? start + took : start,
    isMark: !isBar,
    tone: 'plain',
    text: '',
  };
  if (kind === 'log') return json.logger === 'rez.mark' ? [{ ...item, lane: null, tone: 'mark' }] : [];
  if (kind === 'message' && !['warning', 'error', 'fatal'].includes(level)) return [];
  item.lane = LANE_OF[kind];
  if (item.lane === undefined) return [];
  if (kind === 'screen_view') item.isMark = false;
  if (isBar) item.text = durationOf(took);
  if (kind === 'api_call' || kind === 'image_load') {
    const status = number(json.status);
    const isClient = status >= 400 && status < 500;
    item.tone = isClient
      ? 'warn'
      : json.failed === true || json.error || status >= 500
        ? 'bad'
        : json.slow
          ? 'slow'
          : 'good';
    item.text = [status > 0 && `status ${status}`, item.text, json.error, json.slow && 'slow']
      .filter(Boolean)
      .join(', ');
  }
  if (kind === 'screen_load') {
    item.tone = json.slow ? 'slow' : 'load';
    item.text = `loaded in ${durationOf(took)}`;
    if (number(json.initial_us) > 0) item.inner = start + number(json.initial_us) / 1000;
  }
  if (item.lane === 'Problems') item.tone = kind === 'message' ? 'warn' : 'bad';
  return [item];
}

/** The breadcrumbs, which are a part of the errors after them. Each is drawn once. */
function crumbsOf(events) {
  const found = new Map();
  for (const { id, json } of events) {
    for (const crumb of Array.isArray(json?.trail) ? json.trail : []) {
      const start = crumb.ts;
      if (!isTime(start)) continue;
      const name = String(crumb.message || crumb.category || 'breadcrumb');
      const text = String(crumb.category ?? '');
      found.set(`${start} ${text} ${name}`, {
        id,
        kind: 'breadcrumb',
        lane: 'User',
        name,
        text,
        start,
        end: start,
        isMark: true,
        tone: 'crumb',
      });
    }
  }
  return [...found.values()];
}

/** Places bars that overlap in rows below each other: `spans` are `[left, right]`, in the order of their left ends. */
function rowsOf(spans, most) {
  const ends = [];
  return spans.map(([left, right]) => {
    const free = ends.findIndex((end) => end <= left);
    const row = free >= 0 ? free : Math.min(ends.length, most - 1);
    ends[row] = Math.max(right, ends[row] ?? right);
    return row;
  });
}
