/** Guards made of nothing but calls of the client, as `tests/src/contract/batch.rs` makes them of items. */
import type { Client } from '../../src/core/client';
import type { Stopwatch } from '../../src/core/clock';
import type { EventItem, Trace } from '../../src/core/items';
import { childSpan, rootSpan } from '../../src/core/trace';
import { type Guards, Named, parentOf } from './guards';
import { type Call, text } from './vector';

type Members = Record<string, unknown>;

interface Measured {
  trace: Trace;
  watch: Stopwatch;
  /** What the item has so far. */
  item: Members;
}

export function clientGuards(client: Client): Guards {
  const screens = new Named<Measured & { view: string }>();
  const calls = new Named<Measured>();
  const spans = new Named<Measured & { attrs: Members }>();
  let loading: Trace | undefined;

  const inside = (parent: Trace | undefined) => (parent ? childSpan(client.ids, parent) : rootSpan(client.ids));
  const begun = (trace: Trace, item: Members): Measured => {
    const watch = client.stopwatch();
    return { trace, watch, item: { ...item, trace, start_ms: watch.startMs } };
  };
  const finish = ({ item, watch }: Measured, more: Members = {}) => {
    client.record({ ...item, ...more, duration_us: watch.elapsed().us } as unknown as EventItem);
  };
  const display = (member: string) => (call: Call) => {
    const { item, watch } = screens.get(call);
    item[member] = watch.elapsed().us;
  };
  const endedScreen = (call: Call) => {
    const screen = screens.take(call);
    if (loading === screen.trace) loading = undefined;
    return screen;
  };

  return {
    screen: (call) => {
      const trace = rootSpan(client.ids);
      const view = client.ids.event(client.clock.wallMs());
      const name = text(call, 'name');
      client.scope({ scope: 'screen', name, view, trace });
      loading = trace;
      screens.add(call, { ...begun(trace, { kind: 'screen_load', name, view }), view });
    },
    initial_display: display('initial_us'),
    full_display: display('full_us'),
    finish_screen: (call) => finish(endedScreen(call)),
    cancel_screen: (call) => client.scope({ scope: 'screen_cancelled', view: endedScreen(call).view }),

    api_call: (call) => {
      const trace = inside(parentOf(call, screens, spans) ?? loading);
      calls.add(call, begun(trace, { kind: 'api_call', method: call.method, url: call.url }));
    },
    finish_call: (call) => {
      const { status, request_bytes = 0, bytes: response_bytes = 0 } = call;
      finish(calls.take(call), { status, request_bytes, response_bytes });
    },
    fail_call: (call) => finish(calls.take(call), { error: call.error }),

    span: (call) => {
      const trace = inside(parentOf(call, screens, spans));
      // The engine keeps the children of a span that lies in no other.
      if (spans.around(call) === undefined) client.scope({ scope: 'span', trace });
      const attrs = {};
      spans.add(call, { ...begun(trace, { kind: 'span', name: call.name, op: call.op, attrs }), attrs });
    },
    span_attr: (call) => {
      spans.get(call).attrs[text(call, 'name')] = call.value;
    },
    span_status: (call) => {
      spans.get(call).item.status = call.status;
    },
    finish_span: (call) => finish(spans.take(call)),
    drop_span: (call) => finish(spans.take(call), { status: 'cancelled' }),
  };
}
