/** Everything about one event. `actions(event)` returns the buttons for it. */
function createDetail(ask, actions) {
  const box = byId('detail');
  let shown = null;
  let last = '';

  function placeholder(text) {
    fill(box, el('p', { class: 'empty' }, text));
  }

  async function show(id) {
    const isOther = id !== shown;
    shown = id;
    if (isOther) last = '';
    const answer = await ask({ ask: 'show', id });
    if (shown !== id) return;
    if (answer.error) {
      last = '';
      fill(box, back(), el('p', { class: 'problem', role: 'alert' }, answer.error));
      return;
    }
    const text = writeJson(answer);
    if (text === last) return;
    // What the reader has opened stays open.
    const [opened, top] = last === '' ? [null, 0] : [openPaths(), box.scrollTop];
    last = text;
    draw(answer, opened);
    box.scrollTop = top;
  }

  const openPaths = () => new Set([...box.querySelectorAll('details[open]')].map((part) => part.dataset.path));
  const back = () => el('a', { class: 'back', href: '#/events' }, '← Events');

  function draw({ event, json, wall_ms: wall, mono_ms: mono, crc, masked, why, run }, opened) {
    const facts = [
      ['Happened', `${dayOf(wall)} ${clockOf(wall)}`],
      ['UTC', isTime(wall) ? new Date(wall).toISOString() : '?'],
      ['Since boot', durationOf(mono)],
      ['Number', count(event.seq)],
      ['Size', bytesOf(event.bytes)],
      event.lane && ['Lane', event.lane],
      (event.session ?? json?.session) && [
        'Session',
        el(
          'a',
          { href: `#/timeline/${encodeURIComponent(event.session ?? json.session)}` },
          event.session ?? json.session,
        ),
      ],
      ...senderOf(json?.received),
      crc !== undefined && ['CRC', typeof crc === 'number' ? crc.toString(16).padStart(8, '0') : String(crc)],
    ];
    fill(
      box,
      back(),
      el(
        'header',
        null,
        el(
          'div',
          { class: 'chips' },
          kindChip(event.kind),
          stateChip(event.state),
          event.level && el('span', { class: `level l-${event.level}` }, event.level),
        ),
        el('h2', null, event.name || words(event.kind)),
        el(
          'button',
          { type: 'button', class: 'id', title: 'Copy the id', click: () => copyText(event.id, 'the id') },
          event.id,
        ),
        el(
          'div',
          { class: 'buttons' },
          el(
            'button',
            { type: 'button', click: () => copyText(writeJson(json, 2), 'the JSON of the event') },
            'Copy JSON',
          ),
          actions(event),
        ),
      ),
      el('p', { class: 'why' }, why),
      section(
        'Destinations',
        event.routes.length === 0
          ? el('p', { class: 'empty' }, 'No destination has taken it.')
          : el(
              'ul',
              { class: 'fates' },
              event.routes.map((route) =>
                el('li', null, el('strong', null, route.route), stateChip(route.state, route.text)),
              ),
            ),
      ),
      masked?.length > 0 &&
        section(
          'Masked before it was stored',
          el(
            'ul',
            { class: 'masked' },
            masked.map((one) => el('li', null, el('code', null, one.path), ' ', one.what)),
          ),
        ),
      section(
        'Payload',
        el(
          'div',
          { class: 'tree', tabindex: 0, role: 'region', 'aria-label': 'Payload' },
          tree(json, undefined, 'json', opened),
        ),
      ),
      section(
        'Clocks and place',
        el(
          'dl',
          null,
          facts.filter(Boolean).map(([name, value]) => [el('dt', null, name), el('dd', null, value)]),
        ),
      ),
      run &&
        section(
          'Run',
          el(
            'div',
            { class: 'tree', tabindex: 0, role: 'region', 'aria-label': 'Run' },
            tree(run, undefined, 'run', opened, 1),
          ),
        ),
    );
  }

  /** What a collector knows of the sender. */
  function senderOf(received) {
    if (received === null || typeof received !== 'object') return [];
    const { protocol, client, install, at_ms: at, repeats } = received;
    return [
      ['Arrived', `${dayOf(at)} ${clockOf(at)}`],
      ['Protocol', String(protocol)],
      client && ['Sent by', String(client)],
      install && ['Installation', String(install)],
      repeats > 0 && ['Came again', repeats === 1 ? 'once' : `${count(repeats)} times`],
    ];
  }

  const section = (title, ...content) => el('section', null, el('h3', null, title), content);

  return {
    show,
    clear: () => {
      shown = null;
      last = '';
      placeholder('Select an event. j and k move, Enter opens, ? lists the keys.');
    },
    refresh: () => shown !== null && show(shown),
  };
}
