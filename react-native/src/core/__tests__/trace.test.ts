import { Ids } from '../ids';
import { childSpan, fromTraceparent, rootSpan } from '../trace';

test('a child has the trace of its parent and a span of its own', () => {
  const ids = new Ids();
  const root = rootSpan(ids);
  const child = childSpan(ids, { ...root, sampled: false });
  expect(child).toEqual({ trace_id: root.trace_id, span_id: child.span_id, parent: root.span_id, sampled: false });
  expect(child.span_id).not.toBe(root.span_id);
});

test('a traceparent of a server is continued', () => {
  expect(fromTraceparent('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01')).toEqual({
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    span_id: '00f067aa0ba902b7',
    sampled: true,
  });
  expect(fromTraceparent('cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more')?.sampled).toBe(false);
});

test.each([
  undefined,
  5,
  '',
  'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
  '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
  '0'.repeat(1_000_000),
])('the header %p is none', (header) => {
  expect(fromTraceparent(header)).toBeUndefined();
});
