/** Members that are drawn at once. The others come when they are asked for. */
const TREE_MEMBERS = 200;

/**
 * JSON as nodes that open and close. What is closed is drawn when it is opened. `path` names a node; `opened` has the paths that are
 * open, if the reader has chosen already.
 */
function tree(value, name, path, opened = null, depth = 0) {
  const label = name === undefined ? [] : [el('span', { class: 'key' }, String(name)), ': '];
  if (value === null || typeof value !== 'object') return el('div', { class: 'leaf' }, label, scalar(value));
  const isList = Array.isArray(value);
  const members = Object.entries(value);
  if (members.length === 0) return el('div', { class: 'leaf' }, label, isList ? '[]' : '{}');
  const size = isList ? `[${members.length}]` : `{${members.length}}`;
  const summary = el('summary', null, label, el('span', { class: 'size' }, size));
  const node = el('details', { class: 'branch', 'data-path': path }, summary);
  const draw = (from) => {
    const part = members.slice(from, from + TREE_MEMBERS);
    node.append(...part.map(([key, member]) => tree(member, key, `${path}/${key}`, opened, depth + 1)));
    const left = members.length - from - part.length;
    if (left <= 0) return;
    const drawMore = () => {
      more.remove();
      draw(from + TREE_MEMBERS);
    };
    const more = el('button', { type: 'button', click: drawMore }, `${left} more`);
    node.append(more);
  };
  const drawOnce = () => node.childElementCount === 1 && draw(0);
  node.addEventListener('toggle', () => node.open && drawOnce());
  if (opened?.has(path) ?? (depth < 1 || (depth < 3 && members.length <= 12))) {
    drawOnce();
    node.open = true;
  }
  return node;
}

function scalar(value) {
  const kind = value === null ? 'null' : typeof value === 'bigint' ? 'number' : typeof value;
  return el('span', { class: `v-${kind}` }, kind === 'string' ? JSON.stringify(value) : String(value));
}
