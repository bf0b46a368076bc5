/** Heights and widths of a timeline, in pixels. */
const ROW = 18;
const AXIS = 26;
const LEAST_BAR = 4;
const LANE_ROWS = 6;

/** Draws what happened, this wide: `labels` of the lanes, and the `figure`. */
function drawStory(items, width) {
  const scale = timeScale(items.map(({ kind, start, end }) => [start, kind === 'screen_view' ? start : end]));
  const x = (ms) => 8 + scale.at(ms) * (width - 32);
  const labels = [el('span', { class: 'lane axis' })];
  const groups = [];
  let y = AXIS;
  for (const lane of LANES) {
    const own = items.filter((item) => item.lane === lane);
    if (own.length === 0) continue;
    const height = drawLane(own, x, y, groups);
    labels.push(laneLabel(lane, height));
    y += height;
  }
  const lines = items.filter((item) => item.lane === null).map((item) => drawLine(item, x, y, width));
  const title = 'Session. The arrow keys move from event to event, Enter opens one.';
  const figure = svg(
    'svg',
    { width, height: y + 2, role: 'group', 'aria-label': title },
    drawAxis(scale, x, width, y),
    groups,
    lines,
  );
  return { labels, figure };
}

/** Adds the items of a lane to `groups`. Returns its height. */
function drawLane(items, x, y, groups) {
  const spans = items.map((item) => {
    const left = x(item.start);
    return item.isMark ? [left - 6, left + 6] : [left, Math.max(x(item.end), left + LEAST_BAR) + 1];
  });
  const isScreens = items[0].lane === 'Screens';
  const isFlat = isScreens || items.every((item) => item.isMark);
  const rows = isFlat ? items.map(() => 0) : rowsOf(spans, LANE_ROWS);
  // The loading of a screen is a part of its bar, and drawn over it.
  const isPart = (item) => item.kind === 'screen_load' && items.some((view) => view.kind === 'screen_view');
  const order = items.map((item, at) => [item, y + rows[at] * ROW]).sort(([a], [b]) => isPart(a) - isPart(b));
  for (const [item, top] of order)
    groups.push(item.isMark ? drawPoint(item, x, top) : drawBar(item, x, top, isPart(item)));
  return (Math.max(...rows) + 1) * ROW + (isScreens ? 16 : 8);
}

function laneLabel(lane, height) {
  const label = el('span', { class: 'lane' }, lane);
  label.style.height = `${height}px`;
  return label;
}

function drawAxis(scale, x, width, height) {
  const ticks = scale.ticks(Math.max(Math.floor(width / 110), 2));
  return [
    ticks.map(({ ms, step }) =>
      svg(
        'g',
        { class: 'tick' },
        svg('line', { x1: x(ms), x2: x(ms), y1: AXIS - 6, y2: height }),
        svg('text', { x: x(ms) + 3, y: 14 }, step < 1000 ? clockOf(ms) : clockOf(ms).slice(0, 8)),
      ),
    ),
    scale.breaks.map((gap) => {
      const [from, to] = [8 + gap.x * (width - 32), 8 + (gap.x + gap.width) * (width - 32)];
      return svg(
        'g',
        { class: 'gap' },
        svg('rect', { x: from, y: AXIS - 6, width: to - from, height: height - AXIS + 6 }),
        svg('title', null, `${durationOf(gap.ms)} without an event`),
        svg('text', { x: (from + to) / 2, y: AXIS + 2, 'text-anchor': 'middle' }, `⋯`),
      );
    }),
  ];
}

/** The items of the nodes that are drawn. */
const itemOf = new WeakMap();
/** A breadcrumb has the id of its error. */
const isSame = (one, other) => one?.id === other?.id && one?.name === other?.name && one?.start === other?.start;
const spoken = (item) =>
  [item.lane ?? 'Mark', item.name, item.text, `at ${clockOf(item.start)}`].filter(Boolean).join(', ');
function drawItem(item, ...shapes) {
  const node = svg(
    'g',
    {
      class: `item t-${item.tone} i-${item.kind}`,
      role: 'button',
      tabindex: -1,
      'aria-label': spoken(item),
      'data-at': item.start,
    },
    shapes,
  );
  itemOf.set(node, item);
  return node;
}

function drawBar(item, x, y, isPart) {
  const [left, wide] = [x(item.start), Math.max(x(item.end) - x(item.start), LEAST_BAR)];
  const [top, height] = isPart ? [y + 22, 6] : item.lane === 'Screens' ? [y + 4, 24] : [y + 5, ROW - 4];
  const shapes = [svg('rect', { class: 'body', x: left, y: top, width: wide, height, rx: 3 })];
  if (item.inner !== undefined)
    shapes.push(svg('line', { class: 'inner', x1: x(item.inner), x2: x(item.inner), y1: top - 3, y2: top + height }));
  const letters = Math.floor((wide - 10) / 6.2);
  if (!isPart && letters >= 4)
    shapes.push(
      svg(
        'text',
        { x: left + 5, y: top + 11.5 },
        item.name.length > letters ? `${item.name.slice(0, letters - 1)}…` : item.name,
      ),
    );
  return drawItem(item, shapes);
}

function drawPoint(item, x, y) {
  const [cx, cy] = [x(item.start), y + ROW / 2 + 3];
  const diamond = svg('path', {
    class: 'body',
    d: `M${cx} ${cy - 6.5}L${cx + 6.5} ${cy}L${cx} ${cy + 6.5}L${cx - 6.5} ${cy}Z`,
  });
  const shape =
    item.lane === 'Problems' ? diamond : svg('circle', { class: 'body', cx, cy, r: item.tone === 'crumb' ? 3 : 4.5 });
  return drawItem(item, svg('rect', { class: 'reach', x: cx - 8, y: cy - 9, width: 16, height: 18 }), shape);
}

function drawLine(item, x, height, width) {
  const at = x(item.start);
  const name = item.name.length > 40 ? `${item.name.slice(0, 39)}…` : item.name;
  const wide = name.length * 7 + 14;
  // At the right edge, the name stands before its line.
  const left = at + wide > width ? Math.max(at - wide, 0) : at;
  return drawItem(
    item,
    svg('line', { class: 'body', x1: at, x2: at, y1: 4, y2: height }),
    svg('rect', { class: 'flag', x: left, y: 1, width: wide, height: 16, rx: 3 }),
    svg('text', { x: left + 6, y: 13 }, name),
    svg('rect', { class: 'reach', x: at - 5, y: 0, width: 10, height }),
  );
}
