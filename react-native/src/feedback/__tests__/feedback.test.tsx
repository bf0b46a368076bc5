/** The report form: what it records, what it tells the user, and who opens it. */
import { Alert, Text } from 'react-native';
import { setUser } from '../../api/scope';
import { setClient } from '../../core/carrier';
import { Client } from '../../core/client';
import { AppError, ErrorSeverity, handleError, onReport } from '../../guide';
import { withMonitor } from '../../react/with-monitor';
import { freshApp, HOSTILE } from '../../testing/app';
import { act, render, type Screen, unmountAll } from '../../testing/screen';
import { FeedbackForm } from '../feedback-form';
import { showFeedback } from '../show';
import { textsOf } from '../texts';

jest.mock('../../specs/NativeRezMonitor', () => ({ __esModule: true, default: null }));
jest.setTimeout(120_000);

const scope = globalThis as { __DEV__?: boolean };
const App = withMonitor(() => <Text>shop</Text>);
const ABOUT = '019f0c1e-7c1e-7a53-9b0e-3b6a3f0d9c11';
let app: ReturnType<typeof freshApp>;
let warn: jest.SpyInstance;

beforeEach(() => {
  app = freshApp();
  app.open();
  warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(async () => {
  await unmountAll();
  jest.restoreAllMocks();
  scope.__DEV__ = true;
});

const reports = () => app.items().filter(({ kind }) => kind === 'feedback');
const value = (screen: Screen, field: string) => screen.find(`rez-feedback-${field}`)?.props.value;

test('a report has name, e-mail, message and the event that it is about', async () => {
  const sent = jest.fn();
  const screen = await render(<FeedbackForm eventId={ABOUT} onSent={sent} />);
  await screen.type('rez-feedback-name', ' Asha ');
  await screen.type('rez-feedback-email', 'asha@example.com');
  await screen.type('rez-feedback-message', '  The cart is empty \n');
  await screen.press('rez-feedback-send');
  const report = {
    kind: 'feedback',
    name: 'Asha',
    email: 'asha@example.com',
    message: 'The cart is empty',
    about: ABOUT,
  };
  expect(reports()).toEqual([report]);
  expect(sent.mock.calls).toEqual([[app.port.items()[0]?.id]]);
  expect(screen.text('rez-feedback-thanks')).toContain('Thank you');
  expect(screen.find('rez-feedback-send')).toBeUndefined();
  expect(screen.find('rez-feedback-close')).toBeUndefined();
});

test('a report needs a message and nothing else', async () => {
  const screen = await render(<FeedbackForm />);
  await screen.type('rez-feedback-message', ' \n ');
  await screen.press('rez-feedback-send');
  expect(screen.text('rez-feedback-wrong')).toBe('Please write what happened.');
  expect(reports()).toEqual([]);
  await screen.type('rez-feedback-message', 'x');
  expect(screen.find('rez-feedback-wrong')).toBeUndefined();
  await screen.press('rez-feedback-send');
  expect(reports()).toEqual([{ kind: 'feedback', message: 'x' }]);
});

test('the user that the app has named stands in the form, unless the app gives another', async () => {
  setUser({ id: 'u-1', username: 'Asha', email: 'asha@example.com' });
  const known = await render(<FeedbackForm />);
  expect([value(known, 'name'), value(known, 'email')]).toEqual(['Asha', 'asha@example.com']);
  const given = await render(<FeedbackForm name="Ravi" email="" />);
  expect([value(given, 'name'), value(given, 'email')]).toEqual(['Ravi', '']);
});

test('a report that is not recorded is no thank you, and can be sent again', async () => {
  setClient(new Client({ port: null }));
  const screen = await render(<FeedbackForm />);
  await screen.type('rez-feedback-message', 'x');
  await screen.press('rez-feedback-send');
  expect(screen.text('rez-feedback-wrong')).toContain('could not be saved');
  setClient(app.client);
  await screen.press('rez-feedback-send');
  expect(screen.find('rez-feedback-thanks')).toBeDefined();
  expect(reports()).toHaveLength(1);
});

test('the texts are those of the app, and the English ones where it has none', async () => {
  const texts = { title: 'समस्या बताएं', send: 'भेजें', message: '' };
  const screen = await render(<FeedbackForm texts={texts} />);
  expect(screen.text()).toContain('समस्या बताएं');
  expect(screen.text('rez-feedback-send')).toBe('भेजें');
  expect(screen.find('rez-feedback-message')?.props.placeholder).toBe('What happened?');
});

test('what fits the fields fits the engine, in every script', async () => {
  const screen = await render(<FeedbackForm />);
  const most = (field: string) => Number(screen.find(`rez-feedback-${field}`)?.props.maxLength);
  expect(most('message') * Buffer.byteLength('अ')).toBeLessThanOrEqual(8_192);
  expect(most('name') * Buffer.byteLength('अ')).toBeLessThanOrEqual(200);
});

test('what the app puts into the form fits too, and is cut between characters', async () => {
  const name = `${'a'.repeat(59)}😀`;
  const screen = await render(<FeedbackForm name={name} email={`${'a'.repeat(300)}@example.com`} />);
  expect([value(screen, 'name'), value(screen, 'email')]).toEqual(['a'.repeat(59), 'a'.repeat(254)]);
  // A platform can ignore `maxLength`.
  await screen.type('rez-feedback-name', 'b'.repeat(300));
  await screen.type('rez-feedback-email', 'c'.repeat(300));
  await screen.type('rez-feedback-message', 'x');
  await screen.press('rez-feedback-send');
  expect(reports()).toEqual([{ kind: 'feedback', name: 'b'.repeat(60), email: 'c'.repeat(254), message: 'x' }]);
});

test('two presses before the next render send one report', async () => {
  const sent = jest.fn();
  const screen = await render(<FeedbackForm onSent={sent} />);
  await screen.type('rez-feedback-message', 'x');
  const button = screen.tree.root.findAll(
    ({ props }) => props.testID === 'rez-feedback-send' && typeof props.onPress === 'function',
  )[0];
  await act(async () => {
    button?.props.onPress();
    button?.props.onPress();
  });
  expect([reports().length, sent.mock.calls.length]).toEqual([1, 1]);
});

test('showFeedback opens the form above the app, a new one each time, and the user closes it', async () => {
  const screen = await render(<App />);
  await act(async () => expect(showFeedback({ eventId: ABOUT, name: 'Asha' })).toBe(true));
  expect(value(screen, 'name')).toBe('Asha');
  await screen.type('rez-feedback-message', 'a draft');
  await act(async () => expect(showFeedback()).toBe(true));
  expect([value(screen, 'name'), value(screen, 'message')]).toEqual(['', '']);
  await screen.press('rez-feedback-cancel');
  expect(screen.find('rez-feedback')).toBeUndefined();
  expect(screen.text()).toBe('shop');
});

test('without a mounted host showFeedback is one line, also in a release build', () => {
  scope.__DEV__ = false;
  expect([showFeedback(), showFeedback({ eventId: ABOUT })]).toEqual([false, false]);
  expect(warn.mock.calls).toEqual([[expect.stringContaining('wrap the app in `withMonitor`')]]);
});

describe('the button Report of an alert', () => {
  function press(): void {
    const buttons = (Alert.alert as jest.Mock).mock.calls.slice(-1)[0]?.[2] as { text: string; onPress?: () => void }[];
    buttons.find(({ text }) => text === 'Report')?.onPress?.();
  }

  beforeEach(() => {
    jest.spyOn(Alert, 'alert').mockImplementation(() => undefined);
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
  });

  test('opens the form, and the report is about the error', async () => {
    const screen = await render(<App />);
    handleError(new AppError('card declined', 'PAYMENT_ERROR', ErrorSeverity.HIGH));
    const [, text, buttons] = (Alert.alert as jest.Mock).mock.calls[0] ?? [];
    expect([text, buttons.map((one: { text: string }) => one.text)]).toEqual([
      'Payment processing failed. Please try again.',
      ['OK', 'Report'],
    ]);
    await act(async () => press());
    await screen.type('rez-feedback-message', 'I paid twice');
    await screen.press('rez-feedback-send');
    const [error, report] = app.port.items();
    expect(report).toMatchObject({ kind: 'feedback', message: 'I paid twice', about: error?.id });
  });

  test('opens the form of the app in its place if there is one', async () => {
    const screen = await render(<App />);
    const own = jest.fn();
    const withdraw = onReport(own);
    handleError(new Error('x'));
    await act(async () => press());
    expect(own.mock.calls).toEqual([[app.port.items()[0]?.id]]);
    expect(screen.find('rez-feedback')).toBeUndefined();
    withdraw();
    await act(async () => press());
    expect(screen.find('rez-feedback')).toBeDefined();
  });

  test('throws nothing where no form can be shown', () => {
    handleError(new Error('x'));
    expect(press).not.toThrow();
  });
});

test('whatever the app passes, the form is shown', async () => {
  for (const one of HOSTILE) {
    const props = { eventId: one, name: one, email: one, texts: one, onClose: one, onSent: one } as object;
    const screen = await render(<FeedbackForm {...props} />);
    expect(screen.find('rez-overlay-failed')).toBeUndefined();
    expect(() => textsOf(one)).not.toThrow();
  }
  const screen = await render(<App />);
  for (const one of HOSTILE) {
    await act(async () => expect(showFeedback(one as never)).toBe(true));
    await act(async () => expect(showFeedback({ texts: one, name: one } as never)).toBe(true));
  }
  expect(screen.find('rez-feedback')).toBeDefined();
});
