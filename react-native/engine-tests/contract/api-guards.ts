/** The guards of the package itself, which an app gets from `trackScreenLoad`, `trackAPICall` and `startSpan`. */
import {
  type ApiCall,
  type ScreenLoad,
  type Span,
  startSpan,
  trackAPICall,
  trackScreenLoad,
} from '../../src/api/timing';
import { type Guards, Named, parentOf } from './guards';
import { text } from './vector';

type Status = NonNullable<Parameters<Span['finish']>[0]>;

/** The guards of the package. They record through the client of the app. */
export function apiGuards(): Guards {
  const screens = new Named<ScreenLoad>();
  const calls = new Named<ApiCall>();
  const spans = new Named<Span>();
  const statuses = new Map<Span, Status>();

  return {
    screen: (call) => screens.add(call, trackScreenLoad(text(call, 'name'))),
    initial_display: (call) => screens.get(call).initialDisplay(),
    full_display: (call) => screens.get(call).fullDisplay(),
    finish_screen: (call) => screens.take(call).finish(),
    cancel_screen: (call) => screens.take(call).cancel(),

    api_call: (call) =>
      calls.add(call, trackAPICall(text(call, 'method'), text(call, 'url'), parentOf(call, screens, spans))),
    finish_call: (call) => {
      const { status = Number.NaN, request_bytes = 0, bytes = 0 } = call as Readonly<Record<string, number>>;
      calls.take(call).finish({ status, requestBytes: request_bytes, responseBytes: bytes });
    },
    fail_call: (call) => calls.take(call).fail(call.error),

    span: (call) => {
      const [name, op] = [text(call, 'name'), text(call, 'op')];
      const around = spans.around(call);
      spans.add(call, around ? around.startSpan(name, op) : startSpan(name, op, parentOf(call, screens, spans)));
    },
    span_attr: (call) => spans.get(call).setAttribute(text(call, 'name'), call.value),
    span_status: (call) => statuses.set(spans.get(call), text(call, 'status') as Status),
    finish_span: (call) => {
      const span = spans.take(call);
      span.finish(statuses.get(span));
    },
    drop_span: (call) => spans.take(call).finish('cancelled'),
  };
}
