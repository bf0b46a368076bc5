const SVG = 'http://www.w3.org/2000/svg';

/** Makes an element. Texts become text nodes: what an event contains is never read as markup. */
function el(name, members, ...children) {
  return furnish(document.createElement(name), members, children);
}

function svg(name, members, ...children) {
  return furnish(document.createElementNS(SVG, name), members, children);
}

function furnish(node, members, children) {
  for (const [name, value] of Object.entries(members ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...present(children));
  return node;
}

/** Children without those that are left out. */
const present = (children) =>
  children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false);

/** Gives a node other children. */
const fill = (node, ...children) => node.replaceChildren(...present(children));

/** A function that resolves as its argument does, or to null if a later call has resolved: an old answer never replaces a newer one. */
function newestOnly() {
  let started = 0;
  let newest = 0;
  return async (work) => {
    started += 1;
    const mine = started;
    const [{ status, value, reason }] = await Promise.allSettled([work]);
    if (mine < newest) return null;
    newest = mine;
    if (status === 'rejected') throw reason;
    return value;
  };
}

const byId = (id) => document.getElementById(id);

/** Shows a sentence in an element that is hidden without one. */
function showText(node, text) {
  node.hidden = !text;
  if (node.textContent !== (text || '')) node.textContent = text || '';
}

/** Gives a parent these children, in this order. Children that stay are not moved. */
function arrange(parent, nodes) {
  const kept = new Set(nodes);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const node of nodes) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

let toastTimer;
function toast(text) {
  const node = byId('toast');
  showText(node, text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => showText(node, ''), 6000);
}

async function copyText(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied ${what}`);
  } catch {
    toast('The browser does not allow copying here. Select the text and copy it.');
  }
}

/** A table; cells are texts or nodes. A cell after the first that is a number stands on the right. */
function table(caption, heads, rows) {
  const cell = (value, index) => {
    const isNumber = typeof value === 'number' || typeof value === 'bigint';
    const content = isNumber ? count(value) : (value ?? '');
    if (index === 0) return el('th', { scope: 'row' }, content);
    return el('td', { class: isNumber && (value ? 'number' : 'number zero') }, content);
  };
  return el(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
    el(
      'table',
      null,
      el('caption', null, caption),
      el(
        'thead',
        null,
        el(
          'tr',
          null,
          heads.map((head) => el('th', { scope: 'col' }, head)),
        ),
      ),
      el(
        'tbody',
        null,
        rows.map((row) => el('tr', null, row.map(cell))),
      ),
    ),
  );
}
