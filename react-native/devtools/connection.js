/** The app that is connected to an Expo server, for a command: frames of Expo's developer tools. `docs/guide/inspect.md` has the messages. */
'use strict';

const PLUGIN = '@rez/monitor';
/** The version of Expo's frames, and of the messages in them. */
const VERSION = 1;
const NAME = /^[\w.-]{1,64}$/;
/** Expo ends a command after 10 s. */
const FIRST_MS = 2_000;
const OTHERS_MS = 300;
const ANSWER_MS = 6_000;

const NO_APP =
  'no app with REZ Monitor is connected: open a debug build, and call useRezMonitorDevTools() of @rez/monitor/devtools in its root component';

/** That of Node.js 22, or the one that React Native brings. */
function webSocket() {
  if (globalThis.WebSocket) return globalThis.WebSocket;
  const from = require.resolve('react-native/package.json', { paths: [process.cwd(), __dirname] });
  return require(require.resolve('ws', { paths: [from] }));
}

/** Connects to the server at `origin`. Resolves to `{ask(request), close()}`; rejects with what to do. */
async function connect(origin) {
  const { host, protocol } = new URL(origin);
  const Socket = webSocket();
  const socket = new Socket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/expo-dev-plugins/broadcast`);
  const id = `cli-${process.pid}-${Date.now()}`;
  let hear = () => {};
  let fail = () => {};
  const send = (frame) => socket.send(JSON.stringify(frame));
  const message = (method, payload) => send({ messageKey: { pluginName: PLUGIN, method }, payload });
  const closed = new Error(`the Expo server at ${host} does not answer; run npx expo start again`);
  socket.onclose = () => fail(closed);

  socket.onmessage = ({ data }) => {
    const { messageKey, payload, ...handshake } = frameOf(data);
    if (handshake.method === 'terminateBrowserClient' && handshake.browserClientId === id) {
      if (handshake.protocolVersion !== VERSION) fail(other('developer tools of the app', handshake.protocolVersion));
    } else if (messageKey?.pluginName === PLUGIN && payload !== null && typeof payload === 'object')
      hear(messageKey.method, payload);
  };

  /** Resolves or rejects by what `listen` hears, else by `late`. */
  const wait = (ms, late, listen) => {
    let timer;
    const heard = new Promise((resolve, reject) => {
      timer = setTimeout(late, ms, resolve, reject);
      fail = reject;
      hear = listen(resolve, reject);
    });
    return heard.finally(() => clearTimeout(timer));
  };

  try {
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(closed);
    });
    socket.onerror = () => {};
    const handshake = { protocolVersion: VERSION, pluginName: PLUGIN, method: 'handshake', browserClientId: id };
    send({ ...handshake, __isHandshakeMessages: true });
    message('who', {});
    const app = await theApp();
    let requests = 0;
    return {
      close: () => socket.close(),
      ask(request) {
        requests += 1;
        const mine = `${id}-${requests}`;
        message('request', { id: mine, to: app, request: JSON.stringify(request) });
        const late = (_, reject) =>
          reject(new Error(`${app} has not answered yet; bring it to the foreground, and look at its status`));
        return wait(ANSWER_MS, late, (resolve, reject) => (method, payload) => {
          if (method !== 'answer' || payload.id !== mine) return;
          const answer = frameOf(payload.answer);
          if (typeof answer.error === 'string') reject(new Error(answer.error));
          else resolve(answer);
        });
      },
    };
  } catch (error) {
    socket.close();
    throw error;
  }

  /** Resolves to the name of the only app. */
  function theApp() {
    const names = new Set();
    const decide = (resolve, reject) => {
      const [name, ...others] = [...names].sort();
      if (name === undefined) reject(new Error(NO_APP));
      else if (others.length === 0) resolve(name);
      else reject(new Error(`several apps are connected: ${[...names].sort().join(', ')}; close all but one`));
    };
    return wait(FIRST_MS, decide, (resolve, reject) => (method, { protocol, name }) => {
      if (method !== 'app' || typeof name !== 'string' || !NAME.test(name)) return;
      if (protocol !== VERSION) return reject(other('messages of the app', protocol));
      if (names.size === 0) setTimeout(decide, OTHERS_MS, resolve, reject);
      names.add(name);
    });
  }
}

function other(what, version) {
  return new Error(
    `the ${what} have version ${version} and those of @rez/monitor here ${VERSION}; build the app again`,
  );
}

/** The object that a text holds; an empty one if it holds none. */
function frameOf(text) {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

module.exports = { connect };
