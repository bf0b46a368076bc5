import { isUpload } from '../uploads';

test.each([
  'https://o1.ingest.sentry.io/api/42/envelope/?sentry_key=k&sentry_version=7',
  'https://o1.ingest.us.sentry.io/api/42/envelope/',
  'https://errors.shop.example/prefix/api/42/envelope/?sentry_version=7&sentry_key=k',
  'http://127.0.0.1:9000/api/42/store?sentry_key=k',
  'https://browser-intake-datadoghq.com/api/v2/rum?ddsource=browser',
  'https://rum.browser-intake-us3-datadoghq.com/api/v2/rum',
  'https://proxy.shop.example/api/v2/logs?ddsource=browser&dd-api-key=pub',
  'https://proxy.shop.example/rum?ddforward=%2Fapi%2Fv2%2Frum%3Fddsource%3Dbrowser',
  'https://proxy.shop.example/?team=web&ddforward=/api/v2/logs?ddsource=browser',
  'https://browser-http-intake.logs.datadoghq.com/api/v2/logs',
  'https://rum-http-intake.logs.datadoghq.eu/v1/input/pub',
  'https://http-intake.logs.us5.datadoghq.com/api/v2/logs',
  'https://session-replay.browser-intake-us2-ddog-gov.com/api/v2/replay',
  'https://region1.analytics.google.com/g/collect?v=2',
  'https://notify.bugsnag.com/',
  'https://sessions.bugsnag.com',
  'https://key.otlp.bugsnag.com/v1/traces',
  'https://user:pass@api.mixpanel.com/track',
  'https://key@secret@o1.ingest.sentry.io:443/api/42/envelope/',
  'https://o.expo.dev/project/v1/metrics',
  'https://api-eu.mixpanel.com/track/?ip=1',
  'https://region1.google-analytics.com/g/collect?v=2',
  'HTTPS://API.MIXPANEL.COM./engage',
  '//api.mixpanel.com/track',
])('%s delivers data of another package', (url) => {
  expect(isUpload(url)).toBe(true);
});

test.each([
  '',
  '/api/42/envelope/',
  'https://api.shop.example/api/42/envelope/',
  'https://api.shop.example/api/v2/logs?page=2',
  'https://api.shop.example/pay?next=https://api.mixpanel.com/track',
  'https://api.shop.example/pay#/api/42/envelope/?sentry_key=k',
  'https://api.shop.example/pay?next=/api/42/envelope/?sentry_key=k',
  'https://api.mixpanel.com.shop.example/track',
  'https://notapi.mixpanel.com/track',
  'https://api.mixpanel.com@shop.example/track',
  'https://user:api.mixpanel.com@shop.example/track',
  'https://api.shop.example/pay?note=ddforward=%2Fapi%2Fv2%2Frum',
  'https://api.shop.example/pay?ddforward=yes',
  'https://api.shop.example/pay#?ddforward=%2Fapi%2Fv2%2Frum',
  'https://app.datadoghq.com/api/v2/users',
  'https://logs.shop-datadoghq.com/',
  'https://bugsnag.com/',
  'https://sentry.io/api/0/projects/',
])('%s is a request of the app', (url) => {
  expect(isUpload(url)).toBe(false);
});

test('a URL of a megabyte takes no time that grows with its square', () => {
  expect(isUpload(`https://shop.example/${'/api/1/envelope'.repeat(70_000)}`)).toBe(false);
  expect(isUpload(`https://${'a.'.repeat(500_000)}`)).toBe(false);
  expect(isUpload(`https://${'a@'.repeat(500_000)}`)).toBe(false);
  expect(isUpload(`https://${'logs.'.repeat(200_000)}x`)).toBe(false);
  expect(isUpload(`https://shop.example/?${'&ddforward=%2Fapi'.repeat(70_000)}`)).toBe(false);
});
