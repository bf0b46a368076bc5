/** The kinds: their words, and the group that gives them a colour. */
const KINDS = {
  crash: 'bad',
  error: 'bad',
  hang: 'bad',
  app_exit: 'bad',
  alert: 'bad',
  feedback: 'user',
  revenue: 'money',
  session: 'app',
  screen_load: 'screen',
  app_start: 'app',
  api_call: 'net',
  image_load: 'image',
  interaction: 'user',
  screen_view: 'screen',
  analytics: 'money',
  user_prop: 'money',
  message: 'note',
  metric: 'note',
  frames: 'note',
  long_task: 'work',
  span: 'work',
  log: 'note',
};

const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'fatal'];

/** What a state looks like without its colour. */
const STATE_SIGNS = {
  queued: '○',
  parked: '○',
  in_flight: '◐',
  dead: '✕',
  dropped: '–',
  delivered: '●',
  settled: '·',
  passed: '·',
  paused: '‖',
};

const words = (name) => String(name).replaceAll('_', ' ');
const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, '\u202f');
const two = (number) => String(number).padStart(2, '0');
/** Whether a value is a time that a date can hold. */
const isTime = (ms) => typeof ms === 'number' && Math.abs(ms) <= 8.64e15;

function clockOf(ms) {
  if (!isTime(ms)) return '?';
  const at = new Date(ms);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

function dayOf(ms) {
  if (!isTime(ms)) return '?';
  const at = new Date(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function bytesOf(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function durationOf(ms) {
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function stateChip(state, text = words(state)) {
  const word = String(state);
  const sign = Object.hasOwn(STATE_SIGNS, word) ? STATE_SIGNS[word] : '?';
  return el(
    'span',
    { class: `state s-${/^\w+$/.test(word) ? word : 'settled'}` },
    el('i', { 'aria-hidden': 'true' }, sign),
    el('span', null, text),
  );
}

/** The figures of an event that people look for first, if its payload is known: status, time, amount. */
function summary({ kind, json }) {
  if (json === null || typeof json !== 'object') return null;
  const { status, duration_us: took, failed, amount, currency, error, received } = json;
  const isBad = failed === true || Number(status) >= 400;
  return [
    typeof status === 'number' && status > 0 && el('small', { class: isBad ? 'fails' : '' }, String(status)),
    typeof took === 'number' && kind !== 'session' && el('small', null, durationOf(took / 1000)),
    typeof error === 'string' && el('small', { class: 'fails' }, error),
    amount !== undefined && el('small', null, `${amount} ${currency ?? ''}`),
    typeof received?.protocol === 'string' && el('small', { class: 'from' }, received.protocol),
  ];
}

function kindChip(kind) {
  const group = Object.hasOwn(KINDS, kind) ? KINDS[kind] : 'note';
  return el('span', { class: `kind k-${group}` }, words(kind));
}
