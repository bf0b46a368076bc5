const STATES = ['', 'queued', 'dead', 'dropped', 'delivered', 'settled'];
const PAGE_EVENTS = 100;
/** Questions of one search: a source examines a limited number of events for each. */
const SEARCH_ROUNDS = 10;

/** The list of events: filters, pages, live rows. `open(id)` shows an event; `onSelect(id)` is told of the cursor. */
function createList(ask, { open, onSelect }) {
  const [box, form, problem, fresh, counter, olderButton] = [
    'rows',
    'filters',
    'list-problem',
    'fresh',
    'count',
    'older',
  ].map(byId);
  /** The events, newest first, and the nodes of their rows by id. */
  let events = [];
  let nodes = new Map();
  let next = null;
  let selected = null;
  let state = '';
  let unseen = 0;
  /** Changes with each search; an answer to an earlier one is not shown. */
  let search = 0;
  const newestRead = newestOnly();
  /** Questions that were asked for older events. The list is read again as far as that. */
  let spent = 0;

  const tabs = STATES.map((name, at) =>
    el(
      'button',
      { type: 'button', 'aria-keyshortcuts': at + 1, 'aria-pressed': String(at === 0), click: () => setState(at) },
      name || 'all',
    ),
  );
  byId('states').append(...tabs);
  const option = (any) => (name) => el('option', { value: name }, name ? words(name) : any);
  byId('kind').append(...['', ...Object.keys(KINDS)].map(option('any kind')));
  byId('level').append(...['', ...LEVELS].map(option('any level')));

  /** The senders of a collector. The one that is chosen stays, also when its events are deleted. */
  function offerInstalls(installs) {
    const choice = form.elements.install;
    const names = installs.map(({ install }) => String(install));
    const chosen = choice.value;
    if (chosen && !names.includes(chosen)) names.push(chosen);
    choice.hidden = names.length === 0;
    const about = new Map(installs.map(({ install, events, protocols }) => [String(install), [events, protocols]]));
    const sender = (name) => {
      const [events, protocols] = about.get(name) ?? [0, []];
      const by = Array.isArray(protocols) ? protocols.join(', ') : '';
      return `${name.slice(0, 12)} · ${by} · ${count(events)}`;
    };
    const options = [...choice.options].slice(1);
    // An open menu stays open while its counts change.
    if (options.length === names.length && names.every((name, at) => options[at].value === name)) {
      for (const option of options) option.textContent = sender(option.value);
      return;
    }
    const offered = names.map((name) => el('option', { value: name }, sender(name)));
    fill(choice, el('option', { value: '' }, 'any installation'), ...offered);
    choice.value = chosen;
  }

  function setState(at) {
    state = STATES[at];
    for (const [index, tab] of tabs.entries()) tab.setAttribute('aria-pressed', String(index === at));
    restart();
  }

  function filter() {
    const wanted = {};
    for (const name of ['kind', 'level', 'install', 'text', 'where']) {
      const value = form.elements[name].value.trim();
      if (value) wanted[name] = value;
    }
    if (state) wanted.state = state;
    if (form.elements.since_mark.checked) wanted.since_mark = true;
    return wanted;
  }

  /** Reads at least `wanted` events, or down to `depth`. Returns null if another search has begun. */
  async function read(before, wanted, depth) {
    const mine = search;
    const found = [];
    for (let round = 0; round < SEARCH_ROUNDS + spent + wanted / PAGE_EVENTS; round += 1) {
      const answer = await ask({ ask: 'list', filter: filter(), before, limit: PAGE_EVENTS, json: true });
      if (mine !== search) return null;
      if (answer.error) return { error: answer.error };
      found.push(...answer.events);
      before = answer.before;
      if (before === null || before <= depth || found.length >= wanted) break;
    }
    return { found, before };
  }

  /** Starts again with the filters of now. */
  async function restart() {
    search += 1;
    spent = 0;
    next = null;
    box.scrollTop = 0;
    await refresh();
  }

  /** Reads again what is shown, and what is new. */
  async function refresh() {
    const answer = await newestRead(read(null, Math.max(events.length, PAGE_EVENTS), next ?? -1));
    if (answer === null) return;
    showText(problem, answer.error);
    if (answer.error) return;
    const isScrolled = box.scrollTop > 0;
    const newest = events[0]?.seq ?? -1;
    const added = answer.found.filter((event) => event.seq > newest).length;
    unseen = isScrolled ? unseen + added : 0;
    next = answer.before;
    show(answer.found);
  }

  async function older() {
    if (next === null) return;
    const mine = search;
    olderButton.disabled = true;
    const answer = await newestRead(read(next, PAGE_EVENTS, -1));
    olderButton.disabled = false;
    if (answer === null) {
      // The list was read again meanwhile.
      if (mine === search) await older();
      return;
    }
    showText(problem, answer.error);
    if (answer.error) return;
    next = answer.before;
    spent += SEARCH_ROUNDS;
    show([...events, ...answer.found]);
    // What came meanwhile.
    await refresh();
  }

  function show(found) {
    // A row that was recorded between two pages is on both.
    events = [...new Map(found.map((event) => [event.id, event])).values()];
    const [anchor, offset] = firstVisible();
    const drawn = new Map();
    for (const event of events) drawn.set(event.id, row(event));
    nodes = drawn;
    arrange(box, [...nodes.values()]);
    // The rows that are looked at stay where they are.
    if (anchor?.isConnected) box.scrollTop = anchor.offsetTop - offset;
    select(selected, false);
    describe();
  }

  function describe() {
    showText(fresh, unseen > 0 && `${count(unseen)} new ↑`);
    olderButton.hidden = next === null;
    const total = `${count(events.length)} ${events.length === 1 ? 'event' : 'events'}`;
    const isFiltered = Object.keys(filter()).length > 0;
    const nothing = isFiltered ? 'No event matches.' : 'Nothing is recorded yet.';
    counter.textContent =
      events.length > 0
        ? next === null
          ? `${total}, all`
          : total
        : next === null
          ? nothing
          : 'No event matches so far.';
  }

  /** The first row that is seen below the upper edge, and its distance from there; none at the top of the list. */
  function firstVisible() {
    if (box.scrollTop === 0) return [];
    const first = [...nodes.values()].find((node) => node.offsetTop + node.offsetHeight > box.scrollTop);
    return [first, first && first.offsetTop - box.scrollTop];
  }

  function row(event) {
    const old = nodes.get(event.id);
    const key = `${event.state} ${event.routes.map((route) => `${route.route} ${route.state}`).join()}`;
    if (old?.dataset.key === key) return old;
    const routes = event.routes.map((route) =>
      el(
        'i',
        {
          class: `s-${/^\w+$/.test(route.state) ? route.state : 'settled'}`,
          title: `${route.route}: ${route.text ?? words(route.state)}`,
        },
        STATE_SIGNS[route.state] ?? '?',
      ),
    );
    const cells = [
      el('time', { class: 'at', title: `${dayOf(event.wall_ms)} ${clockOf(event.wall_ms)}` }, clockOf(event.wall_ms)),
      kindChip(event.kind),
      el('span', { class: 'name' }, el('b', null, event.name || words(event.kind)), summary(event)),
      el('span', { class: `level l-${LEVELS.includes(event.level) ? event.level : 'none'}` }, event.level ?? ''),
      el('span', { class: 'routes', 'aria-hidden': 'true' }, routes),
      stateChip(event.state),
      el('span', { class: 'bytes' }, bytesOf(event.bytes)),
    ];
    if (old !== undefined) {
      fill(old, ...cells);
      old.dataset.key = key;
      return old;
    }
    const choose = () => {
      select(event.id);
      open(event.id);
    };
    return el(
      'li',
      { id: `row-${event.id}`, role: 'option', class: 'row', 'aria-selected': 'false', 'data-key': key, click: choose },
      cells,
    );
  }

  function select(id, isMoved = true) {
    nodes.get(selected)?.setAttribute('aria-selected', 'false');
    selected = id;
    const node = nodes.get(id);
    node?.setAttribute('aria-selected', 'true');
    if (node) box.setAttribute('aria-activedescendant', node.id);
    else box.removeAttribute('aria-activedescendant');
    if (!isMoved) return;
    node?.scrollIntoView({ block: 'nearest' });
    onSelect(id);
  }

  /** Moves the cursor. At the end of what is loaded, older events come. */
  async function move(by) {
    const at = events.findIndex((event) => event.id === selected);
    const to = at < 0 ? 0 : at + by;
    if (to >= events.length && next !== null) await older();
    const event = events[Math.min(Math.max(to, 0), events.length - 1)];
    if (event) select(event.id);
  }

  let typing;
  form.addEventListener('input', (event) => {
    clearTimeout(typing);
    typing = setTimeout(restart, event.target.type === 'search' || event.target.type === 'text' ? 200 : 0);
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  fresh.addEventListener('click', () => {
    box.scrollTop = 0;
    unseen = 0;
    describe();
    box.focus();
  });
  box.addEventListener('scroll', () => {
    if (box.scrollTop > 0 || unseen === 0) return;
    unseen = 0;
    describe();
  });
  olderButton.addEventListener('click', older);

  return {
    refresh,
    restart,
    setState,
    move,
    select: (id) => select(id, false),
    openSelected: () => selected !== null && open(selected),
    /** Filters that the source does not know are not offered: it would ignore them. */
    offer: (hasMore, installs) => {
      for (const name of ['level', 'where']) form.elements[name].hidden = !hasMore;
      offerInstalls(installs);
    },
  };
}
