import { carrier } from '../../core/carrier';
import { freshApp } from '../../testing/app';
import { identify } from '../../vendors/user';
import { logEvent } from '../analytics';
import { forgetUser, setConsent, supportCode } from '../delivery';
import { setUser } from '../scope';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));

const ASHA = { id: 'u-42', email: 'asha@shop.example', username: 'Asha' };

test('the support code is that of the status, and without a session there is none', () => {
  const { client } = freshApp();
  const status = jest.spyOn(client, 'status');
  for (const [told, code] of [
    ['0d9c11', '0d9c11'],
    [null, undefined],
    [7, undefined],
  ]) {
    status.mockReturnValue({ status: { support_code: told }, lines: [] });
    expect(supportCode()).toBe(code);
  }
  status.mockReturnValue(undefined);
  expect(supportCode()).toBeUndefined();
});

test('after forgetUser nothing brings name and e-mail back', () => {
  const { open, items } = freshApp();
  open();
  setUser(ASHA);
  expect(forgetUser()).toBe(true);
  expect(carrier().user).toBeUndefined();
  identify('u-42');
  expect(items().at(-1)).toEqual({ scope: 'user', id: 'u-42' });
});

test('the user is forgotten when both purposes are denied, not when one is', () => {
  const { open } = freshApp();
  open();
  setUser(ASHA);
  setConsent('analytics', 'denied');
  expect(carrier().user).toEqual(ASHA);
  setConsent('monitoring', 'denied');
  expect(carrier().user).toBeUndefined();
});

test('a purpose that the settings deny counts, unless it was granted since', () => {
  const { client } = freshApp();
  client.open({ consentMonitoring: 'granted', consentAnalytics: 'denied' });
  setUser(ASHA);
  setConsent('analytics', 'granted');
  setConsent('monitoring', 'denied');
  expect(carrier().user).toEqual(ASHA);
  setConsent('analytics', 'denied');
  expect(carrier().user).toBeUndefined();
});

test.each([
  ['forgetUser', () => forgetUser()],
  ['denying both purposes', () => setConsent('analytics', 'denied') && setConsent('monitoring', 'denied')],
])('before the engine is open, %s erases what waits, and what is stored when it opens', (_, erase) => {
  const { port, client, items } = freshApp();
  setUser(ASHA);
  logEvent('before');
  expect(erase()).toBe(true);
  expect(port.calls).toEqual([]);
  setUser({ id: 'u-43' });
  logEvent('after');
  client.open({});
  expect(port.calls.map(([name]) => name)).toEqual(
    expect.arrayContaining([expect.stringMatching(/^forgetUser$|^setConsent$/)]),
  );
  expect(items()).toEqual([
    { scope: 'user', id: 'u-43' },
    { kind: 'analytics', name: 'after' },
  ]);
  client.open({});
  expect(port.calls.filter(([name]) => name === 'forgetUser').length).toBeLessThan(2);
});
