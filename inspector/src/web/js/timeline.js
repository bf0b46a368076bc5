const STORY_EVENTS = 1000;
const SHOWS_AT_ONCE = 6;
const MAX_ZOOM = 64;
/** The width of the column with the names of the lanes, with its border. */
const LABELS = 85;
/** Events that are kept. The oldest are forgotten. */
const STORY_KEPT = 3000;

/** A session as bars and marks. */
function createTimeline(ask, go) {
  const box = byId('view-timeline');
  const picker = el('select', {
    'aria-label': 'Session',
    change: () => go(`#/timeline/${encodeURIComponent(picker.value)}`),
  });
  const zoomText = el('span', { class: 'zoom', role: 'status' });
  const button = (label, name, act) => el('button', { type: 'button', 'aria-label': name, click: act }, label);
  const chart = el('div', { class: 'chart' });
  const hint = el('div', { class: 'hint' });
  const problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  const tables = el('details', { class: 'part' }, el('summary', null, 'As a table'));
  const legend = [
    ['good', 'ok'],
    ['slow', 'slow'],
    ['warn', '4xx, warning'],
    ['bad', 'failed, error'],
    ['load', 'screen loads'],
    ['crumb', 'breadcrumb'],
  ];
  box.append(
    el(
      'header',
      { class: 'tools' },
      el('h2', null, 'Timeline'),
      picker,
      el(
        'div',
        { class: 'group' },
        button('−', 'Zoom out', () => setZoom(zoom / 2)),
        zoomText,
        button('+', 'Zoom in', () => setZoom(zoom * 2)),
        button('fit', 'Fit to the window', () => setZoom(1)),
      ),
    ),
    problem,
    chart,
    hint,
    el(
      'ul',
      { class: 'legend' },
      legend.map(([tone, text]) => el('li', null, el('i', { class: `t-${tone}` }), text)),
    ),
    tables,
  );

  /** Events with their payloads, by id. A payload never changes. */
  const known = new Map();
  let zoom = 1;
  let wanted = '';
  let focused = null;
  let isDrawn = '';

  async function refresh() {
    const error = await read();
    const oldest = [...known.values()].sort((a, b) => b.seq - a.seq).slice(STORY_KEPT);
    for (const { id } of oldest) known.delete(id);
    showText(problem, error);
    draw();
  }

  /** Reads what was recorded since the last time. Returns what went wrong. */
  async function read() {
    let before = null;
    for (let asked = 0; asked < STORY_EVENTS; asked += PAGE_EVENTS) {
      const answer = await ask({ ask: 'list', before, limit: PAGE_EVENTS, json: true });
      if (answer.error) return answer.error;
      const added = answer.events.filter((event) => !known.has(event.id));
      const error = await addPayloads(added.filter((event) => event.json === undefined));
      if (error) return error;
      for (const event of added) known.set(event.id, event);
      before = answer.before;
      if (before === null || (answer.events.length > 0 && added.length === 0)) return '';
    }
    return '';
  }

  /** Asks for each payload, if the source does not list them. */
  async function addPayloads(events) {
    for (let at = 0; at < events.length; at += SHOWS_AT_ONCE) {
      const part = events.slice(at, at + SHOWS_AT_ONCE);
      const answers = await Promise.all(part.map(({ id }) => ask({ ask: 'show', id })));
      // An event can be erased between the two questions.
      part.forEach((event, index) => {
        event.json = answers[index].json ?? {};
      });
    }
    return '';
  }

  function draw() {
    const sessions = sessionsOf([...known.values()]);
    const session = sessions.find(({ id }) => id === wanted) ?? sessions[0];
    const key = `${zoom} ${chart.clientWidth} ${session?.id} ${session?.events.length} ${sessions.length}`;
    if (key === isDrawn) return;
    isDrawn = key;
    picker.hidden = sessions.length === 0;
    fill(
      picker,
      ...sessions.map(({ id, start, events }) =>
        el(
          'option',
          { value: id, selected: id === session.id },
          `${dayOf(start)} ${clockOf(start).slice(0, 8)} · ${count(events.length)} events · ${id.slice(0, 8) || 'no session'}`,
        ),
      ),
    );
    picker.value = session?.id ?? '';
    const items = session ? storyOf(session.events) : [];
    zoomText.textContent = `${Math.round(zoom * 100)} %`;
    if (items.length === 0) {
      fill(chart, el('p', { class: 'empty' }, 'Nothing is recorded yet. Use the app, and the session is drawn here.'));
      fill(tables, tables.firstChild);
      return;
    }
    const { labels, figure } = drawStory(items, Math.max(chart.clientWidth - LABELS, 200) * zoom);
    const plot = el('div', { class: 'plot' }, figure);
    const left = chart.querySelector('.plot')?.scrollLeft ?? 0;
    const hadFocus = chart.contains(document.activeElement);
    fill(chart, el('div', { class: 'lanes', 'aria-hidden': 'true' }, labels), plot);
    plot.scrollLeft = left;
    rove(figure, hadFocus);
    fill(
      tables,
      tables.firstChild,
      table(
        'Session, in the order of time',
        ['at', 'lane', 'what', 'took', 'details'],
        items.map((item) => [
          clockOf(item.start),
          item.lane ?? 'Mark',
          el('a', { href: `#/events/${item.id}` }, item.name),
          item.isMark ? '' : durationOf(item.end - item.start),
          item.text,
        ]),
      ),
    );
  }

  /** One item is in the order of the tab key. The arrows move through the others by time. */
  function rove(figure, hadFocus) {
    const all = [...figure.querySelectorAll('.item')].sort((a, b) => a.dataset.at - b.dataset.at);
    const nodeAt = (event) => event.target.closest?.('.item');
    const openAt = (node) => go(`#/events/${itemOf.get(node).id}`);
    const tell = (node) => {
      const item = itemOf.get(node);
      fill(
        hint,
        kindText(item),
        el('strong', null, item.name),
        el('span', null, item.text),
        el('time', null, `${clockOf(item.start)}${item.isMark ? '' : ` – ${clockOf(item.end)}`}`),
      );
    };
    const current = all.find((node) => isSame(itemOf.get(node), focused)) ?? all[0];
    current.setAttribute('tabindex', '0');
    if (hadFocus) current.focus({ preventScroll: true });
    else if (!hint.firstChild) tell(current);
    figure.addEventListener('pointerover', (event) => nodeAt(event) && tell(nodeAt(event)));
    figure.addEventListener('focusin', (event) => {
      const node = nodeAt(event);
      if (!node) return;
      figure.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
      node.setAttribute('tabindex', '0');
      focused = itemOf.get(node);
      tell(node);
    });
    figure.addEventListener('click', (event) => nodeAt(event) && openAt(nodeAt(event)));
    figure.addEventListener('keydown', (event) => {
      const node = nodeAt(event);
      if (!node) return;
      const to = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (to !== undefined) (all[all.indexOf(node) + to] ?? node).focus();
      else if (event.key === 'Enter' || event.key === ' ') openAt(node);
      else return;
      event.preventDefault();
    });
  }

  const kindText = (item) =>
    el('span', { class: `t-${item.tone} swatch` }, words(item.kind === 'log' ? 'mark' : item.kind));

  function setZoom(to) {
    const plot = chart.querySelector('.plot');
    const middle = plot ? (plot.scrollLeft + plot.clientWidth / 2) / plot.scrollWidth : 0;
    zoom = Math.min(Math.max(to, 1), MAX_ZOOM);
    draw();
    const drawn = chart.querySelector('.plot');
    if (drawn) drawn.scrollLeft = middle * drawn.scrollWidth - drawn.clientWidth / 2;
  }

  chart.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      setZoom(event.deltaY < 0 ? zoom * 2 : zoom / 2);
    },
    { passive: false },
  );
  new ResizeObserver(() => box.hidden || draw()).observe(chart);

  return {
    refresh,
    zoomBy: (factor) => setZoom(zoom * factor),
    choose: (session) => {
      wanted = session;
      draw();
    },
  };
}
