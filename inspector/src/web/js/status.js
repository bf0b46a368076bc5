/** What waits for which destination and why, and whether the balance holds. */
function createStatus(ask) {
  const box = byId('view-status');
  const newest = newestOnly();
  const sum = (counts) => Object.values(counts ?? {}).reduce((total, n) => total + Number(n), 0);
  const byReason = (counts) =>
    Object.entries(counts ?? {})
      .filter(([, n]) => n > 0)
      .map(([reason, n]) => `${words(reason)} ${count(n)}`)
      .join(', ');
  const mark = (holds) => el('span', { class: holds ? 'holds' : 'fails' }, holds ? '✓ holds' : '✗ does not hold');

  async function refresh() {
    const answer = await newest(ask({ ask: 'status' }));
    if (answer === null) return;
    if (answer.error) return fill(box, el('p', { class: 'problem', role: 'alert' }, answer.error));
    const { lines, status, balance, fault } = answer;
    const { refused, unreadable } = { ...answer, ...balance };
    const routes = balance?.routes ?? (status?.routes ?? []).map(fromStatus);
    arrangeParts([
      el('h2', null, 'Status'),
      fault && fault !== 'none' && el('p', { class: 'warn' }, `Requests fail on purpose: the fault “${fault}” is on.`),
      unreadable > 0 &&
        el('p', { class: 'warn' }, `${count(unreadable)} rows cannot be read. The queue is damaged: run rezq doctor.`),
      balance && cards(balance),
      el('div', { class: 'cards' }, routes.map(route)),
      balance &&
        el(
          'details',
          { class: 'part' },
          el('summary', null, 'The balance by kind ', mark(balance.kinds.every((kind) => kind.holds))),
          el('p', null, 'Folded and late events are stored, or dropped with a reason.'),
          table(
            'By kind',
            ['kind', 'folded', 'late', 'stored', 'dropped', 'balance'],
            balance.kinds.map((kind) => [
              kindChip(kind.kind),
              kind.folded,
              kind.late,
              kind.stored,
              byReason(kind.dropped),
              mark(kind.holds),
            ]),
          ),
        ),
      sum(refused) > 0 &&
        table(
          'Refused at the call',
          ['reason', 'events'],
          Object.entries(refused).map(([reason, n]) => [words(reason), n]),
        ),
      el(
        'section',
        { class: 'part' },
        el('h3', null, 'In sentences'),
        el(
          'ul',
          { class: 'lines' },
          (lines ?? []).map((line) => el('li', null, line)),
        ),
      ),
    ]);
  }

  /** Draws again, and leaves open what is open. */
  function arrangeParts(parts) {
    const opened = box.querySelector('details')?.open ?? false;
    const top = box.scrollTop;
    fill(box, ...parts.filter(Boolean));
    const details = box.querySelector('details');
    if (details) details.open = opened;
    box.scrollTop = top;
  }

  function cards(balance) {
    const isCapped = balance.cap > 0;
    const share = isCapped ? Math.min(balance.bytes / balance.cap, 1) : 0;
    const lanes = ['crash', 'critical', 'normal', 'bulk'];
    const oldest =
      typeof balance.oldest_ms === 'number' ? `${durationOf(Math.max(Date.now() - balance.oldest_ms, 0))} old` : '';
    return el(
      'div',
      { class: 'figures' },
      figure('Recorded', count(balance.numbered), 'events that got a number'),
      figure('In the queue', count(balance.rows), oldest),
      el(
        'div',
        { class: 'figure' },
        el('span', null, 'Space'),
        el('strong', null, bytesOf(balance.bytes)),
        isCapped && el('meter', { value: share, max: 1, high: 0.9, 'aria-label': 'Share of the cap' }),
        isCapped && el('small', null, `of ${bytesOf(balance.cap)}`),
      ),
      figure('Lanes', lanes.map((lane, at) => `${balance.lanes?.[at] ?? 0}`).join(' · '), lanes.join(' · ')),
      el(
        'div',
        { class: 'figure' },
        el('span', null, 'Balance'),
        el('strong', null, mark(balance.holds)),
        el('small', null, 'recorded = queued + in flight + delivered + dead + dropped'),
      ),
    );
  }

  const figure = (name, value, note) =>
    el('div', { class: 'figure' }, el('span', null, name), el('strong', null, value), el('small', null, note));

  /** The route of a running app that does not state its balance. */
  const fromStatus = (route) => ({
    ...route,
    queued: route.waiting.reduce((total, n) => total + n, 0),
    in_flight: route.in_flight ? 1 : 0,
    waits: route.held ? [route.held.text ?? route.held.why] : [],
  });

  function route(one) {
    const parts = [
      ['queued', one.queued],
      ['in_flight', one.in_flight],
      ['delivered', one.delivered],
      ['dead', one.dead],
      ['dropped', sum(one.dropped)],
    ];
    const total = parts.reduce((all, [, n]) => all + Number(n ?? 0), 0);
    const bar = parts.filter(([, n]) => n > 0);
    let x = 0;
    return el(
      'article',
      { class: 'card' },
      el('header', null, el('h3', null, one.route), one.holds !== undefined && mark(one.holds)),
      svg(
        'svg',
        { class: 'share', viewBox: '0 0 100 4', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
        bar.map(([name, n]) => {
          const width = (Number(n) / total) * 100;
          const rect = svg('rect', { class: `s-${name}`, x, y: 0, width, height: 4 });
          x += width;
          return rect;
        }),
      ),
      el(
        'dl',
        { class: 'counts' },
        parts.map(([name, n]) =>
          el('div', { class: n > 0 ? '' : 'zero' }, el('dt', null, stateChip(name)), el('dd', null, count(n ?? 0))),
        ),
      ),
      sum(one.dropped) > 0 && el('p', { class: 'note' }, `Dropped: ${byReason(one.dropped)}`),
      one.unwanted > 0 && el('p', { class: 'note' }, `${count(one.unwanted)} are of kinds that it does not take.`),
      (one.waits ?? []).map((sentence) => el('p', { class: 'wait' }, sentence)),
      one.last && el('p', { class: 'note' }, `Last request: ${lastText(one.last)}`),
    );
  }

  function lastText(last) {
    if (typeof last === 'string') return last;
    const [at, status, note] = Array.isArray(last) ? last : [last.at_ms, last.status, last.note ?? last.text];
    return [isTime(at) && clockOf(at), status > 0 && `status ${status}`, note].filter(Boolean).join(', ');
  }

  return { refresh };
}
