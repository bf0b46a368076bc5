import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { client } from '../src/core/monitor';
import { FIRST_LOOK_MS, tellDelivery } from '../src/guide/alert-delivery';
import { AlertSeverity, addDestination, alertService, close, flush, init, status, why } from '../src/index';
import { type Line, logged, serve, versions } from './app';
import { run } from './child';
import { newFolder, rowsOf } from './engine';
import { pagerDuty, routingKey, type StandIn, slack, slackWebhook } from './stand-in';
import { until } from './waiting';

let lines: Line[] = [];

beforeEach(() => {
  lines = logged();
});

afterEach(() => close(2_000));

const destinations = (toSlack: StandIn, toPagerDuty: StandIn) => [
  { name: 'slack', kind: 'slack', key: toSlack.url + slackWebhook } as const,
  { name: 'pagerduty', kind: 'pagerduty', key: routingKey, endpoint: toPagerDuty.url } as const,
];

const bodies = (stand: StandIn) => stand.received.map((request) => JSON.parse(request.body));
const details = { attempts: 3, lastError: 'Connection timeout' };

test('an alert is logged with the members of the guide, and its event has an id', async () => {
  const folder = newFolder();
  init({ folder, app: 'rezapp-api' });
  const id = await alertService.sendAlert(AlertSeverity.CRITICAL, 'Database Connection Lost', 'No MongoDB', details);
  expect(lines).toContainEqual({
    level: 'warn',
    message: 'Alert triggered',
    fields: { severity: 'critical', title: 'Database Connection Lost', description: 'No MongoDB', details },
  });
  expect(await client().persist(20_000)).toBe('');
  expect(rowsOf(folder)).toMatchObject([
    {
      id,
      kind: 'alert',
      json: { title: 'Database Connection Lost', description: 'No MongoDB', severity: 'critical', attrs: details },
    },
  ]);
});

test('Slack gets every alert in the form of the guide, PagerDuty the critical ones', async () => {
  const [toSlack, toPagerDuty] = await Promise.all([slack(), pagerDuty()]);
  init({ folder: newFolder(), app: 'rezapp-api', destinations: destinations(toSlack, toPagerDuty) });
  const colors = { info: '#36a64f', warning: '#ff9800', error: '#f44336', critical: '#d32f2f' };
  const ids: string[] = [];
  for (const severity of Object.values(AlertSeverity)) {
    ids.push(await alertService.sendAlert(severity, `A ${severity}`, 'No MongoDB', details));
    await flush(20_000);
  }
  expect(toSlack.received.map(({ method, path, headers }) => [method, path, headers['content-type']])).toEqual(
    Array(4).fill(['POST', slackWebhook, 'application/json']),
  );
  expect(bodies(toSlack)).toEqual(
    Object.entries(colors).map(([severity, color]) => ({
      attachments: [
        {
          color,
          title: `A ${severity}`,
          text: 'No MongoDB',
          fields: [
            { title: 'attempts', value: '3', short: true },
            { title: 'lastError', value: 'Connection timeout', short: true },
          ],
          fallback: `${severity}: A ${severity}`,
          footer: 'REZ API Monitoring',
          ts: expect.any(Number),
        },
      ],
    })),
  );
  expect(toPagerDuty.received.map(({ path }) => path)).toEqual(['/v2/enqueue']);
  expect(bodies(toPagerDuty)).toMatchObject([
    {
      routing_key: routingKey,
      event_action: 'trigger',
      dedup_key: ids[3],
      payload: { summary: 'A critical', severity: 'critical', source: 'rezapp-api', custom_details: details },
    },
  ]);
});

test('an alert of a process that is killed right after the call reaches Slack and PagerDuty once', async () => {
  const [toSlack, toPagerDuty] = await Promise.all([slack(), pagerDuty()]);
  const options = { folder: newFolder(), app: 'rezapp-api', destinations: destinations(toSlack, toPagerDuty) };
  const start = `rez.init(${JSON.stringify(options)});`;
  const killed = await run(`${start}
    await rez.alertService.sendAlert('critical', 'Database Connection Lost', 'No MongoDB', { attempts: 3 });
    process.kill(process.pid, 'SIGKILL');`);
  expect(killed.by).toBe('SIGKILL');
  for (const _start of ['first', 'second']) {
    const restarted = await run(`${start}
      const { destinations } = await rez.flush(20_000);
      console.log(JSON.stringify(destinations.map(({ left }) => left)));
      await rez.close(20_000);`);
    expect([restarted.by, restarted.stdout.trim()]).toEqual([0, '[0,0]']);
  }
  expect(bodies(toSlack).map((body) => body.attachments[0].title)).toEqual(['Database Connection Lost']);
  // PagerDuty makes one alert of requests with one key.
  const alerts = new Map(bodies(toPagerDuty).map((body) => [body.dedup_key, body.payload.summary]));
  expect([...alerts.values()]).toEqual(['Database Connection Lost']);
});

test('of 1,000 alerts from within requests no request waits while Slack hangs, and the collapsed ones are counted', async () => {
  const [toSlack, toPagerDuty] = await Promise.all([slack(), pagerDuty()]);
  toSlack.answer = undefined;
  const options = { folder: newFolder(), app: 'rezapp-api', destinations: destinations(toSlack, toPagerDuty) };
  // On a busy machine a request is slow, and would be a row beside the alerts.
  const limits = { slowRequestMs: 60_000, slowCallMs: 60_000 };
  init({ ...options, limits, settings: { inspector: true } });
  const app = versions[1][1]();
  app.get('/', async (_request, response) => {
    response.json({ id: await alertService.sendAlert(AlertSeverity.CRITICAL, 'Redis is gone', 'ECONNREFUSED') });
  });
  const url = await serve(app);
  const ids = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(url)));
    for (const answer of answers) ids.add(((await answer.json()) as { id: string }).id);
  }
  // All were answered, and Slack has answered nothing yet.
  expect(ids.size).toBe(1_000);
  await Promise.all([toSlack.until(1), toPagerDuty.until(1)]);
  expect(toPagerDuty.received).toHaveLength(1);
  expect(await client().persist(20_000)).toBe('');
  expect(status()?.status).toMatchObject({ accepted: 1_000 });
  expect(JSON.parse(await client().inspect({ ask: 'drops' }, 20_000))).toMatchObject({
    drops: [{ kind: 'alert', reason: 'collapsed', n: 999 }],
  });
});

test('an outage of Slack does not hold back PagerDuty, and is one line of the log', async () => {
  const [toSlack, toPagerDuty] = await Promise.all([slack(), pagerDuty()]);
  toSlack.answer = (response) => response.writeHead(503).end();
  init({ folder: newFolder(), destinations: destinations(toSlack, toPagerDuty) });
  await alertService.sendAlert(AlertSeverity.CRITICAL, 'Payments down', '');
  await flush(20_000);
  expect(bodies(toPagerDuty)).toMatchObject([{ payload: { summary: 'Payments down' } }]);
  expect([await tellDelivery(), await tellDelivery()]).toEqual([true, true]);
  expect(lines.filter(({ message }) => message.startsWith('Failed to send'))).toMatchObject([
    { level: 'error', message: 'Failed to send Slack alert', fields: { destination: 'slack' } },
  ]);
});

test('the log is told of an outage by itself, and once', async () => {
  const toSlack = await slack();
  toSlack.answer = (response) => response.writeHead(503).end();
  init({ folder: newFolder(), destinations: [{ name: 'slack', kind: 'slack', key: toSlack.url + slackWebhook }] });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    await alertService.sendAlert(AlertSeverity.ERROR, 'Payments down', '');
    await alertService.sendAlert(AlertSeverity.ERROR, 'Database down', '');
    expect(vi.getTimerCount()).toBe(1);
    await flush(20_000);
    await vi.advanceTimersByTimeAsync(FIRST_LOOK_MS);
    expect(lines.filter(({ message }) => message === 'Failed to send Slack alert')).toHaveLength(1);
  } finally {
    vi.useRealTimers();
  }
});

test('an engine that closes while the log is being told of an outage leaves no timer', async () => {
  const toSlack = await slack();
  toSlack.answer = (response) => response.writeHead(503).end();
  init({ folder: newFolder(), destinations: [{ name: 'slack', kind: 'slack', key: toSlack.url + slackWebhook }] });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    await alertService.sendAlert(AlertSeverity.ERROR, 'Payments down', '');
    await flush(20_000);
    const asked = vi.spyOn(client(), 'why');
    vi.advanceTimersByTime(FIRST_LOOK_MS);
    expect(asked).toHaveBeenCalledTimes(1);
    await close(2_000);
    await asked.mock.results[0]?.value;
    await new Promise((resolve) => setImmediate(resolve));
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('an alert that Slack may not have is a line of the log, also if that is known only at a later look', async () => {
  const [toSlack, toPagerDuty] = await Promise.all([slack(), pagerDuty()]);
  let answer = () => {};
  toSlack.answer = (response) => {
    answer = () => void response.writeHead(504).end();
  };
  toPagerDuty.answer = (response) => response.writeHead(503).end();
  init({ folder: newFolder(), destinations: destinations(toSlack, toPagerDuty) });
  const id = await alertService.sendAlert(AlertSeverity.CRITICAL, 'Payments down', '');
  await toSlack.until(1);
  // The status follows the request.
  await until(tellDelivery, 'an alert that waits');
  expect(lines.some(({ message }) => message === 'Failed to send Slack alert')).toBe(false);
  answer();
  await flush(20_000);
  await tellDelivery();
  await tellDelivery();
  expect(lines.filter(({ fields }) => fields.eventId === id)).toMatchObject([
    { message: 'Failed to send Slack alert', fields: { error: 'ambiguous', status: 504 } },
  ]);
});

test.each([
  ['answers with a web page', 200, { 'content-type': 'text/html' }, '<html>Sign in</html>', /web page/],
  ['redirects', 302, { location: 'https://elsewhere.example/' }, '', /redirects to https:\/\/elsewhere\.example/],
  ['is gone', 404, { 'content-type': 'text/plain' }, 'no_service', /no_service \(404\)/],
  ['refuses the alert', 400, { 'content-type': 'text/plain' }, 'invalid_payload', /invalid_payload/],
])('a webhook that %s is a sentence in the log', async (_what, code, headers, body, sentence) => {
  const toSlack = await slack();
  toSlack.answer = (response) => response.writeHead(code, headers as Record<string, string>).end(body);
  init({ folder: newFolder(), destinations: [{ name: 'slack', kind: 'slack', key: toSlack.url + slackWebhook }] });
  const id = await alertService.sendAlert(AlertSeverity.ERROR, 'Payments down', '');
  await flush(20_000);
  await tellDelivery();
  const said = lines.filter(({ message }) => message === 'Failed to send Slack alert');
  expect(said).toHaveLength(1);
  expect(String(said[0]?.fields.error)).toMatch(sentence);
  expect(JSON.stringify([lines, status(), await why(id)])).not.toContain('s3cret');
});

test('a webhook over http to another machine is refused with a sentence, and nothing else stops', async () => {
  init({ folder: newFolder() });
  expect(addDestination({ name: 'slack', kind: 'slack', key: 'http://hooks.example/services/s3cret' })).toMatch(
    /https/,
  );
  expect(addDestination({ name: 'slack', kind: 'slack', key: 'no url' })).not.toBe('');
  expect(await alertService.sendAlert(AlertSeverity.ERROR, 'Payments down', '')).not.toBe('');
  expect(lines.some(({ message }) => message.includes('use https'))).toBe(true);
  expect(JSON.stringify(lines)).not.toContain('s3cret');
});

test('an alert of any values is recorded or not, and never rejects', async () => {
  init({ folder: newFolder(), settings: { alertWindowMs: 0 } });
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const throwing = Object.defineProperty({}, 'attempts', {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
  const given: unknown[][] = [
    ['loud', 'a severity that is none', '', {}],
    [undefined, undefined, undefined, undefined],
    [null, null, null, null],
    [AlertSeverity.INFO, 'circular', 'a\r\nb', circular],
    [AlertSeverity.INFO, 'throwing', '', throwing],
    [AlertSeverity.INFO, 'frozen', '', Object.freeze({ a: 1 })],
    [AlertSeverity.INFO, 'a text', '', 'details'],
    [AlertSeverity.INFO, 'x'.repeat(100_000), 'y'.repeat(100_000), { z: 'z'.repeat(100_000) }],
    [throwing, throwing, throwing, throwing],
  ];
  for (const values of given) {
    const id = await (alertService.sendAlert as (...values: unknown[]) => Promise<string>).apply(alertService, values);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
  }
  expect(await client().persist(20_000)).toBe('');
});

test('an alert that nobody would be told of says so once', async () => {
  init({ folder: newFolder() });
  await alertService.sendAlert(AlertSeverity.ERROR, 'Payments down', '');
  await tellDelivery();
  await tellDelivery();
  expect(lines.filter(({ message }) => message.includes('SLACK_WEBHOOK_URL'))).toHaveLength(1);
});

test('the keys of the guide in the environment are enough', async () => {
  const toSlack = await slack();
  const ended = await run(
    `await rez.alertService.sendAlert('info', 'From the environment', '');
    await rez.flush(20_000);
    await rez.close(20_000);`,
    { REZ_FOLDER: newFolder(), SLACK_WEBHOOK_URL: toSlack.url + slackWebhook, PAGERDUTY_INTEGRATION_KEY: routingKey },
  );
  expect([ended.by, ended.stderr]).toEqual([0, expect.stringContaining('Alert triggered')]);
  expect(bodies(toSlack)).toMatchObject([{ attachments: [{ title: 'From the environment' }] }]);
});
