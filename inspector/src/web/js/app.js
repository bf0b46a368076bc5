const VIEWS = ['events', 'timeline', 'status', 'drops'];
/** Between two readings while changes come in. */
const REFRESH_MS = 400;

/** The page: the address says which view is shown, a change in the source reads it again. */
function startPage(carrier) {
  const ask = (request) => carrier.ask(request);
  const go = (hash) => {
    if (location.hash === hash) route();
    else location.hash = hash;
  };
  const actions = createActions(ask, () => changed());
  const detail = createDetail(ask, actions.forEvent);
  const isWide = matchMedia('(min-width: 900px)');
  let settle;
  const list = createList(ask, {
    open: (id) => go(`#/events/${id}`),
    onSelect: (id) => {
      if (!isWide.matches) return;
      clearTimeout(settle);
      settle = setTimeout(() => {
        // No entry of the history for each step of the cursor, and no event of the address: it would come after the next step.
        history.replaceState(null, '', `#/events/${id}`);
        detail.show(id);
      }, 60);
    },
  });
  const timeline = createTimeline(ask, go);
  const views = {
    events: { refresh: () => Promise.all([list.refresh(), detail.refresh()]) },
    timeline,
    status: createStatus(ask),
    drops: createDrops(ask),
  };
  let view = '';

  function route() {
    // What is about to be shown for the cursor must not come after what the address says.
    clearTimeout(settle);
    const [, name, ...rest] = location.hash.split('/');
    const id = decodeText(rest.join('/'));
    const isNew = view !== name || view === '';
    view = VIEWS.includes(name) ? name : 'events';
    for (const one of VIEWS) byId(`view-${one}`).hidden = one !== view;
    for (const link of document.querySelectorAll('[data-view]')) {
      if (link.dataset.view === view) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    document.body.dataset.view = view;
    document.body.classList.toggle('is-open', view === 'events' && id !== '');
    if (view === 'timeline') timeline.choose(id);
    if (view === 'events' && id) {
      list.select(id);
      detail.show(id);
      if (!isWide.matches) byId('detail').scrollTop = 0;
    } else detail.clear();
    if (isNew) read();
  }

  function decodeText(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return '';
    }
  }

  /** Reads the view again: once at a time, and once more if something changed meanwhile. */
  let isReading = false;
  let isStale = false;
  async function changed() {
    isStale = true;
    if (isReading) return;
    isReading = true;
    while (isStale) {
      isStale = false;
      await read();
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
    }
    isReading = false;
  }

  const newestRead = newestOnly();
  async function read() {
    const outcome = await newestRead(Promise.allSettled([views[view].refresh(), readAbout()]));
    if (outcome === null) return;
    const [shown, about] = outcome;
    // A source that answers in another form must not end the page.
    const { reason } = [shown, about].find(({ status }) => status === 'rejected') ?? {};
    const failure = reason && `An answer of the source cannot be shown: ${reason.message}. Is the app older than rezq?`;
    showText(byId('notice'), failure ?? about.value);
  }

  /** Reads what the source is and can do. Returns what is missing, if it does not say. */
  async function readAbout() {
    const about = await ask({ ask: 'about' });
    const isKnown = about.protocol >= 1;
    const can = isKnown && Array.isArray(about.can) ? about.can : [];
    const fault = can.includes('fault') ? (await ask({ ask: 'status' })).fault : undefined;
    byId('app').textContent = about.app ? String(about.app) : 'REZ Inspector';
    document.title = about.app ? `${about.app} · REZ Inspector` : 'REZ Inspector';
    list.offer(isKnown, Array.isArray(about.installs) ? about.installs : []);
    actions.offer(can, fault);
    return about.error && `The source does not say what it is: ${about.error}. Some filters and buttons are missing.`;
  }

  const live = byId('live');
  function tellLive(state, text, title) {
    live.dataset.state = state;
    live.lastElementChild.textContent = text;
    live.title = title;
  }

  const keys = {
    j: () => list.move(1),
    k: () => list.move(-1),
    ArrowDown: () => list.move(1),
    ArrowUp: () => list.move(-1),
    Enter: () => {
      list.openSelected();
      byId('detail').focus();
    },
    '/': () => {
      go('#/events');
      byId('text').focus();
      byId('text').select();
    },
    Escape: () => {
      if (view === 'events') go('#/events');
      byId('rows').focus();
    },
    '?': actions.openHelp,
    m: actions.openMark,
    r: read,
    '+': () => timeline.zoomBy(2),
    '-': () => timeline.zoomBy(0.5),
    e: () => go('#/events'),
    t: () => go('#/timeline'),
    s: () => go('#/status'),
    d: () => go('#/drops'),
  };
  STATES.forEach((_, at) => {
    keys[at + 1] = () => list.setState(at);
  });
  /** The view of a key that has no meaning in the others. */
  const ofView = { '+': 'timeline', '-': 'timeline' };
  for (const key of ['j', 'k', 'ArrowDown', 'ArrowUp', 'Enter', ...STATES.map((_, at) => at + 1)])
    ofView[key] = 'events';

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    const isTyping = event.target.matches('input:not([type=checkbox]), select, textarea');
    if (isTyping) {
      if (event.key === 'Escape') byId('rows').focus();
      return;
    }
    if (!Object.hasOwn(keys, event.key)) return;
    if ((ofView[event.key] ?? view) !== view) return;
    // Buttons, links and what scrolls have a use for these keys themselves.
    const isList = event.target === document.body || event.target === byId('main') || event.target === byId('rows');
    if (['Enter', 'ArrowDown', 'ArrowUp'].includes(event.key) && !isList) return;
    event.preventDefault();
    keys[event.key]();
  });

  addEventListener('hashchange', route);
  actions.offer([]);
  route();
  carrier.onChange(({ version, problem, saved }) => {
    if (problem) tellLive('off', 'not live', problem);
    else tellLive(saved ? 'saved' : 'on', saved ? carrier.label : 'live', carrier.label);
    if (problem) toast(`Not live: ${problem}`);
    if (version !== undefined || saved) changed();
  });
}

startPage(carrierOfPage());
