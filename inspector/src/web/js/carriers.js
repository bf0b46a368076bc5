/**
 * A carrier brings requests of the inspect protocol to a source:
 * `ask(request)` resolves to the answer, an object; what goes wrong on the way is an answer too, `{error}`;
 * `onChange(callback)` calls with `{version}` when something changed, with `{problem}` when changes cannot be seen, with
 * `{saved: true}` when nothing will ever change, and returns the function that stops it;
 * `label` names the carrier.
 */

/** Longer than the server waits for its source. */
const ANSWER_MS = 90_000;

/** The server that sent the page. */
function httpCarrier(address, token) {
  const at = (path) => new URL(path, address);
  const lost = {
    error: 'rezq cannot be reached. It has ended, or this page is older than it: open the address that rezq printed.',
  };

  async function ask(request) {
    let text;
    try {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const signal = AbortSignal.timeout(ANSWER_MS);
      const response = await fetch(at('inspect'), { method: 'POST', headers, body: writeJson(request), signal });
      text = await response.text();
    } catch {
      return lost;
    }
    try {
      const answer = readJson(text);
      if (answer !== null && typeof answer === 'object' && !Array.isArray(answer)) return answer;
    } catch {}
    return { error: 'rezq answered with something that is no JSON object. Is another program on its port?' };
  }

  function onChange(callback) {
    let events;
    let again;
    let failures = 0;
    const tell = (event) => callback(readJson(event.data));
    const listen = () => {
      // A browser has six connections to a server. Pages that nobody sees leave them to the one that is seen.
      if (document.hidden) return;
      events = new EventSource(`${at('changes')}?token=${encodeURIComponent(token)}`);
      events.onopen = () => {
        failures = 0;
      };
      events.addEventListener('version', tell);
      events.addEventListener('problem', tell);
      // Each response ends after one event, so one error means nothing.
      events.onerror = () => {
        failures += 1;
        const isEnded = events.readyState === EventSource.CLOSED;
        if (failures === 3 || isEnded) callback({ problem: lost.error });
        if (isEnded) again = setTimeout(listen, 3000);
      };
    };
    const rest = () => {
      clearTimeout(again);
      events?.close();
    };
    const turn = () => {
      rest();
      listen();
    };
    document.addEventListener('visibilitychange', turn);
    listen();
    return () => {
      document.removeEventListener('visibilitychange', turn);
      rest();
    };
  }

  return { ask, onChange, label: `rezq at ${new URL(address).host}` };
}

/** The carrier that the page was composed for. */
function carrierOfPage() {
  const page = readJson(byId('carrier').textContent);
  if (page.carrier === 'saved') return savedCarrier(page.answers);
  if (page.carrier === 'devtools') return devToolsCarrier();
  const KEY = 'rez-token';
  const address = new URL(location.href);
  const token = address.searchParams.get('token') ?? sessionStorage.getItem(KEY) ?? '';
  if (address.searchParams.has('token')) {
    // The address bar is copied into tickets and shown on screens.
    sessionStorage.setItem(KEY, token);
    address.searchParams.delete('token');
    history.replaceState(null, '', address);
  }
  return httpCarrier(new URL('/', address), token);
}
