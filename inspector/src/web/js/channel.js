/** The version of the messages between a page and an app. */
const MESSAGES = 1;
/** How long an app may take for a question, and for an order: it waits for servers. */
const ASK_MS = 20_000;
const TELL_MS = 90_000;
/** How long the page waits for an app to say that it is there, and for others after the first. */
const FIRST_MS = 3000;
const OTHERS_MS = 300;
/** Between two questions for the version. */
const POLL_MS = 1000;
/** Longest name of an app, and most names. */
const NAME = /^[\w.-]{1,64}$/;
const APPS = 32;

/**
 * A carrier over the messages of a developer tool. Everybody who is connected hears every message:
 * `who` asks which apps are there; `app` `{protocol, name, new}` says it, with `new` when the app has started;
 * `request` `{id, to, request}` goes to the app of a name; `answer` `{id, answer}` comes back. Request and answer are texts.
 *
 * `connect(tell, turned)` returns the channel: `send(method, payload)`, and `problem()`, why nothing can be sent, if so. Later it calls
 * `tell(method, payload)` with each message, and `turned()` when messages can be sent or no longer can. `wanted`: the name of the app
 * to ask. `noApp`: what to do when there is none.
 */
function channelCarrier(connect, { label, wanted = '', noApp }) {
  const client = `page-${Math.random().toString(36).slice(2)}`;
  /** The version of the messages of each app. */
  const apps = new Map();
  const waiting = new Map();
  let requests = 0;
  let app = '';
  let chosen = null;
  let met = () => {};
  let started = () => {};

  const heard = {
    app({ protocol, name, new: isNew }) {
      if (typeof name !== 'string' || !NAME.test(name) || (!apps.has(name) && apps.size >= APPS)) return;
      apps.set(name, protocol);
      met(name);
      if (isNew !== true) return;
      if (name === app) again();
      started();
    },
    answer({ id, answer }) {
      const one = waiting.get(id);
      if (one && typeof answer === 'string') one.resolve(answer);
    },
  };
  const channel = connect(
    (method, payload) => {
      if (Object.hasOwn(heard, method)) heard[method](payload);
    },
    () => {
      const problem = channel.problem();
      if (!problem) return channel.send('who', {});
      chosen = null;
      for (const one of waiting.values()) one.reject(new Error(problem));
    },
  );

  /** The JavaScript of the app was loaded again: it does not know what it was asked. */
  function again() {
    for (const [id, one] of waiting) {
      if (one.isOrder) one.reject(new Error('The app was started again before it answered. Look whether it was done.'));
      else channel.send('request', { id, to: app, request: one.request });
    }
  }

  /** Resolves to the name of the app that is asked: the one that is wanted, or the only one. */
  async function choose() {
    apps.clear();
    channel.send('who', {});
    await new Promise((resolve) => {
      let timer = setTimeout(resolve, FIRST_MS);
      met = (name) => {
        if (wanted && name !== wanted) return;
        clearTimeout(timer);
        timer = setTimeout(resolve, wanted ? 0 : OTHERS_MS);
      };
    });
    met = () => {};
    const problem = channel.problem();
    if (problem) throw new Error(problem);
    const names = [...apps.keys()].sort();
    if (wanted && !apps.has(wanted) && names.length > 0)
      throw new Error(`No app ${wanted} is connected. Connected: ${names.join(', ')}.`);
    if (!wanted && names.length > 1)
      throw new Error(
        `Several apps are connected: ${names.join(', ')}. Add one to the address of this page, as in ?app=${names[0]}.`,
      );
    if (names.length === 0) throw new Error(noApp);
    app = wanted || names[0];
    const version = apps.get(app);
    if (version !== MESSAGES)
      throw new Error(
        `The app has version ${String(version)} of the inspector's messages and this page version ${MESSAGES}. Build the app again with the version of @rez/monitor that is installed.`,
      );
    return app;
  }

  async function exchange(request) {
    chosen ??= choose();
    const mine = chosen;
    let to;
    try {
      to = await mine;
    } catch (error) {
      if (chosen === mine) chosen = null;
      throw error;
    }
    const isOrder = request?.ask === undefined;
    requests += 1;
    const id = `${client}-${requests}`;
    const text = writeJson(request);
    try {
      return await new Promise((resolve, reject) => {
        const silent = () => {
          // It may be gone: the next question looks again who is there.
          chosen = null;
          reject(
            new Error(
              `${to} does not answer. Bring it to the foreground, and let it continue if it stands at a breakpoint.`,
            ),
          );
        };
        const timer = setTimeout(silent, isOrder ? TELL_MS : ASK_MS);
        waiting.set(id, { request: text, isOrder, timer, resolve, reject });
        channel.send('request', { id, to, request: text });
      });
    } finally {
      clearTimeout(waiting.get(id).timer);
      waiting.delete(id);
    }
  }

  async function ask(request) {
    let text;
    try {
      text = await exchange(request);
    } catch (error) {
      return { error: error.message };
    }
    try {
      const answer = readJson(text);
      if (answer !== null && typeof answer === 'object' && !Array.isArray(answer)) return answer;
    } catch {}
    return { error: 'The app answered with something that is no JSON object. Is it older than this page?' };
  }

  function onChange(callback) {
    let timer;
    let known;
    let isAsking = false;
    let isOver = false;
    const look = async () => {
      clearTimeout(timer);
      if (isAsking || document.hidden) return;
      isAsking = true;
      const { version: now, error } = await ask({ ask: 'version' });
      isAsking = false;
      if (isOver) return;
      const seen = error ?? now;
      if (seen !== known) callback(error === undefined ? { version: now } : { problem: error });
      known = seen;
      timer = setTimeout(look, POLL_MS);
    };
    document.addEventListener('visibilitychange', look);
    started = look;
    look();
    return () => {
      isOver = true;
      document.removeEventListener('visibilitychange', look);
      clearTimeout(timer);
      started = () => {};
    };
  }

  return { ask, onChange, label };
}
