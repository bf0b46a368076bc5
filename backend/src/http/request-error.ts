/** Records the error of a request, once: two error handlers of one app get it one after the other. */
import { guarded } from '../../../react-native/src/core/guard';
import { isObject } from '../../../react-native/src/core/read';
import { reportedAs } from '../../../react-native/src/errors/reported';
import { captureException } from '../core/capture';
import { shared } from '../core/shared';
import type { RequestLike } from './express';
import { userOf } from './request-user';
import { requestView } from './request-view';

interface State {
  /** What each request has failed with last, and the id of its event. A text cannot be marked as reported. */
  requests: WeakMap<object, { error: unknown; id: string }>;
  /** Errors that a request has failed with. */
  errors: WeakSet<object>;
}

const state = () => shared<State>('request-errors', () => ({ requests: new WeakMap(), errors: new WeakSet() }));

/**
 * Records what a request failed with, with a view of the request, and returns the id of the event.
 *
 * An error of which `captureException` was told keeps its id, and so does one that this request has failed with before. If the same
 * object fails another request, as the rejection of a promise does that all requests wait for, it is recorded for that one too.
 */
export function captureRequestError(error: unknown, request: RequestLike, status: number): string {
  return guarded('', () => {
    const { requests, errors } = state();
    const last = requests.get(request);
    if (last !== undefined && Object.is(last.error, error)) return last.id;
    const known = isObject(error) && errors.has(error) ? undefined : reportedAs(error);
    if (known !== undefined) return known;
    const view = requestView(request, status);
    // Without `init` and without `requestContextHandler` there is no context that knows it.
    const user = userOf(request);
    const id = captureException(error, {
      handled: false,
      mechanism: 'middleware',
      context: { request: view },
      ...(view.route !== undefined && { tags: { 'http.route': view.route } }),
      ...(user && { user }),
    });
    if (id !== '') requests.set(request, { error, id });
    if (isObject(error)) errors.add(error);
    return id;
  });
}
