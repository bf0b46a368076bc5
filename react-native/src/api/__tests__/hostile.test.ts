import { freshApp, HOSTILE } from '../../testing/app';
import * as analytics from '../analytics';
import * as capture from '../capture';
import * as scope from '../scope';

test('whatever is passed, no call throws', () => {
  const calls = {
    ...capture,
    ...analytics.people,
    ...scope.superProperties,
    setUser: scope.setUser,
    setTag: scope.setTag,
    setContext: scope.setContext,
    setFlag: scope.setFlag,
    logEvent: analytics.logEvent,
    logScreenView: analytics.logScreenView,
    trackInteraction: analytics.trackInteraction,
    trackRevenue: analytics.trackRevenue,
    timeEvent: analytics.timeEvent,
  } as Record<string, (...args: unknown[]) => unknown>;
  freshApp().open();
  for (const call of Object.values(calls)) {
    for (const one of HOSTILE) {
      for (const args of [[one], [one, one], ['text', one], ['text', 'text', one], ['text', 'text', 'text', one]]) {
        expect(() => call(...args)).not.toThrow();
      }
    }
  }
});
