const FAULTS = ['none', 'offline', 'refuse', 'slow'];

/** The buttons that change something: only those that the source offers in `can`. `changed()` is called after each. */
function createActions(ask, changed) {
  let can = [];
  const box = byId('actions');
  const text = el('input', {
    type: 'text',
    name: 'text',
    maxlength: 200,
    required: true,
    placeholder: 'tapped Pay',
    'aria-label': 'Name of the moment',
    spellcheck: 'false',
  });
  const marking = dialog(
    'Mark a moment',
    'The mark is a row in the list and a line in the timeline.',
    text,
    'Mark',
    () => tell({ tell: 'mark', text: text.value }, () => `Marked “${text.value.trim()}”`),
  );
  const sure = el('p');
  let drop = () => {};
  const dropping = dialog('Drop the event?', null, sure, 'Drop it', () => drop());
  const fault = el(
    'select',
    {
      'aria-label': 'Fault',
      change: () =>
        tell({ tell: 'fault', fault: fault.value }, ({ fault: on }) =>
          on === 'none' ? 'Requests are sent as usual' : `Requests fail: ${on}`,
        ),
    },
    FAULTS.map((name) => el('option', { value: name }, name === 'none' ? 'no fault' : name)),
  );
  const faultLabel = el('label', { class: 'fault' }, 'Fault ', fault);
  const sendButton = el('button', { type: 'button', class: 'primary', click: sendNow }, 'Send now');
  const markButton = el('button', { type: 'button', 'aria-keyshortcuts': 'm', click: openMark }, 'Mark');
  const helping = help();

  async function tell(request, sentence) {
    const answer = await ask(request);
    toast(answer.error ? `Not done: ${answer.error}` : sentence(answer));
    changed();
    return answer;
  }

  async function sendNow() {
    sendButton.disabled = true;
    sendButton.textContent = 'Sending';
    await tell(
      { tell: 'send_now' },
      ({ destinations }) =>
        (destinations ?? []).map((one) => `${one.destination}: ${one.text}`).join('\n') || 'There is no destination',
    );
    sendButton.disabled = false;
    sendButton.textContent = 'Send now';
  }

  function openMark() {
    if (!can.includes('mark')) return;
    text.value = '';
    marking.showModal();
  }

  /** The buttons of one event. */
  function forEvent(event) {
    if (!event.routes.some((route) => route.state === 'dead')) return [];
    const requeue = () =>
      tell({ tell: 'requeue', ids: [event.id] }, ({ requeued }) => `${count(requeued)} in the queue again`);
    const askDrop = () => {
      sure.textContent = `“${event.name}” will never be delivered. This cannot be undone.`;
      drop = () => tell({ tell: 'drop', ids: [event.id] }, ({ dropped }) => `${count(dropped)} dropped`);
      dropping.showModal();
    };
    return [
      can.includes('requeue') && el('button', { type: 'button', click: requeue }, 'Send again'),
      can.includes('drop') && el('button', { type: 'button', class: 'danger', click: askDrop }, 'Drop'),
    ].filter(Boolean);
  }

  function offer(what, faultNow) {
    can = what;
    // A choice that is open is not changed under the hand.
    if (FAULTS.includes(faultNow) && document.activeElement !== fault) fault.value = faultNow;
    arrange(
      box,
      [
        can.includes('fault') && faultLabel,
        can.includes('mark') && markButton,
        can.includes('send_now') && sendButton,
        helpButton,
      ].filter(Boolean),
    );
  }
  const helpButton = el(
    'button',
    {
      type: 'button',
      class: 'round',
      'aria-label': 'Keys',
      'aria-keyshortcuts': '?',
      click: () => helping.showModal(),
    },
    '?',
  );

  return { offer, forEvent, openMark, openHelp: () => helping.showModal() };
}

/** A dialog with one question. `act` runs if it is confirmed. */
function dialog(title, note, content, confirm, act) {
  const close = el('button', { type: 'button', click: () => node.close() }, 'Cancel');
  const form = el(
    'form',
    { method: 'dialog', submit: () => act() },
    el('h2', null, title),
    note && el('p', null, note),
    content,
    el('div', { class: 'buttons' }, close, el('button', { type: 'submit', class: 'primary' }, confirm)),
  );
  const node = el('dialog', { 'aria-label': title }, form);
  document.body.append(node);
  return node;
}

function help() {
  const keys = [
    ['j, k', 'next, previous event'],
    ['Enter', 'open the event'],
    ['Esc', 'back to the list'],
    ['/', 'search'],
    ['1 – 6', 'all, queued, dead, dropped, delivered, settled'],
    ['e, t, s, d', 'events, timeline, status, drops'],
    ['+, −', 'zoom the timeline'],
    ['m', 'mark a moment'],
    ['r', 'read again'],
    ['?', 'these keys'],
  ];
  const node = el(
    'dialog',
    { class: 'help', 'aria-label': 'Keys' },
    el(
      'form',
      { method: 'dialog' },
      el('h2', null, 'Keys'),
      el(
        'dl',
        null,
        keys.map(([key, what]) => [el('dt', null, el('kbd', null, key)), el('dd', null, what)]),
      ),
      el('div', { class: 'buttons' }, el('button', { type: 'submit' }, 'Close')),
    ),
  );
  document.body.append(node);
  return node;
}
