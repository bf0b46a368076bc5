const PLUGIN = '@rez/monitor';
/** The version of Expo's frames. */
const FRAMES = 1;
const RECONNECT_MS = 2000;

/** The apps that are connected to an Expo server: it relays each frame to all others on the socket of its developer tools. */
function expoCarrier({ host, protocol, search }) {
  const lost = `The Expo server at ${host} does not answer. Start it with npx expo start: the page connects again by itself.`;
  let socket;
  let problem = lost;

  function connect(tell, turned) {
    const id = `page-${Math.random().toString(36).slice(2)}`;
    const send = (frame) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));
    const open = () => {
      socket = new WebSocket(`${protocol === 'https:' ? 'wss' : 'ws'}://${host}/expo-dev-plugins/broadcast`);
      socket.onopen = () => {
        problem = undefined;
        // The app answers to a handshake only if it uses other frames.
        const handshake = { protocolVersion: FRAMES, pluginName: PLUGIN, method: 'handshake', browserClientId: id };
        send({ ...handshake, __isHandshakeMessages: true });
        turned();
      };
      socket.onmessage = ({ data }) => read(data);
      socket.onclose = () => {
        problem = lost;
        turned();
        setTimeout(open, RECONNECT_MS);
      };
    };
    const read = (text) => {
      // Bytes belong to other plugins.
      if (typeof text !== 'string') return;
      let frame;
      try {
        frame = readJson(text);
      } catch {
        return;
      }
      const { messageKey, payload, method, browserClientId, protocolVersion } = frame ?? {};
      // Also said to the first of two pages, which can both go on.
      if (method === 'terminateBrowserClient' && browserClientId === id && protocolVersion !== FRAMES)
        problem = `The app uses version ${Number(protocolVersion)} of Expo's developer tools and this page version ${FRAMES}. Install the version of @rez/monitor that is made for the Expo SDK of the app.`;
      if (messageKey?.pluginName === PLUGIN && payload !== null && typeof payload === 'object')
        tell(messageKey.method, payload);
    };
    open();
    return {
      send: (method, payload) => send({ messageKey: { pluginName: PLUGIN, method }, payload }),
      problem: () => problem,
    };
  }

  return channelCarrier(connect, {
    label: `Expo at ${host}`,
    wanted: new URLSearchParams(search).get('app') ?? '',
    noApp:
      'No app with REZ Monitor is connected. Open a debug build, and call useRezMonitorDevTools() of @rez/monitor/devtools in its root component.',
  });
}
