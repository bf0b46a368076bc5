/** The words of the report form, and what an app may set. */
import { members } from '../api/members';
import { describe } from '../core/json';
import { readText } from '../core/read';

/** Every text that a user reads in the form. */
export interface FeedbackTexts {
  title: string;
  name: string;
  email: string;
  message: string;
  send: string;
  cancel: string;
  /** After the report was recorded. */
  thanks: string;
  close: string;
  /** Send without a message. */
  empty: string;
  /** The report could not be recorded. */
  failed: string;
}

export interface FeedbackOptions {
  /** The id of the event that the report is about, as `captureException` returns it. */
  eventId?: string;
  /** What stands in the form at first. Default: the user of `setUser`. */
  name?: string;
  email?: string;
  /** In the place of the English ones. */
  texts?: Partial<FeedbackTexts>;
}

const ENGLISH: FeedbackTexts = {
  title: 'Report a problem',
  name: 'Name (optional)',
  email: 'E-mail (optional)',
  message: 'What happened?',
  send: 'Send',
  cancel: 'Cancel',
  thanks: 'Thank you. Your report was saved and will be sent.',
  close: 'Close',
  empty: 'Please write what happened.',
  failed: 'The report could not be saved. Please try again later.',
};

/** Those of the app, and the English ones where it has none. */
export function textsOf(given: unknown): FeedbackTexts {
  const texts = { ...ENGLISH };
  for (const name of Object.keys(ENGLISH) as (keyof FeedbackTexts)[])
    texts[name] = readText(given, name) || ENGLISH[name];
  return texts;
}

/** What an app has passed, without what is none of it: `onPress={showFeedback}` passes an event. */
export function optionsOf(given: FeedbackOptions | null | undefined): FeedbackOptions {
  const { eventId, name, email, texts } = members(given, 'eventId', 'name', 'email', 'texts');
  return {
    ...(eventId !== undefined && { eventId: describe(eventId) }),
    ...(name !== undefined && { name: describe(name) }),
    ...(email !== undefined && { email: describe(email) }),
    ...(texts !== undefined && { texts }),
  };
}
