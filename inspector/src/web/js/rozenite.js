/** The app that React Native DevTools are connected to: Rozenite shows the page in a frame and passes messages on. */
function rozeniteCarrier() {
  function connect(tell) {
    const { parent } = window;
    addEventListener('message', ({ source, data }) => {
      if (source !== parent || data?.pluginId !== PLUGIN) return;
      if (data.payload !== null && typeof data.payload === 'object') tell(data.type, data.payload);
    });
    return {
      // Whoever shows the page gets its questions, and nothing of an app: the answers come from there.
      send: (type, payload) =>
        parent.postMessage({ type: 'rozenite-message', payload: { pluginId: PLUGIN, type, payload } }, '*'),
      problem: () => undefined,
    };
  }

  return channelCarrier(connect, {
    label: 'React Native DevTools',
    noApp:
      'The app does not answer. Call useRezMonitorRozenite() of @rez/monitor/rozenite in its root component, and load the app again.',
  });
}

let devTools;
/** In a frame the page speaks to what shows it, and never to Expo: no other site may have its buttons pressed. */
function devToolsCarrier() {
  devTools ??= window.parent === window ? expoCarrier(location) : rozeniteCarrier();
  return devTools;
}
