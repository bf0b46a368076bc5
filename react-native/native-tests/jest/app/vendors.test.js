import { datadogLogs } from '@rez/monitor/datadog';
import { recorded, reset } from '@rez/monitor/jest';
import * as Sentry from '@rez/monitor/sentry';

beforeEach(reset);

test("the vendors' entries record into the same list without a mock", () => {
  Sentry.captureException(new RangeError('m'));
  datadogLogs.logger.info('paid');
  expect(recorded().map(({ kind }) => kind)).toEqual(['error', 'log']);
});

test('two files of tests share nothing', () => {
  expect(recorded()).toEqual([]);
});
