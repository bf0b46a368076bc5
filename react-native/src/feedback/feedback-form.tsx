/** The form in which a user writes about the app, or about an error. */
import { later } from '../overlay/later';
import type { FeedbackOptions } from './texts';

export interface FeedbackFormProps extends FeedbackOptions {
  /** The user cancels, or closes the form after the report. Without it there is no such button. */
  onClose?: () => void;
  /** The report was recorded: the id of its event. */
  onSent?: (id: string) => void;
}

/**
 * Asks for name, e-mail and message, and records them as feedback. The report goes into the queue like every event, so the form also
 * works offline. It fills its parent.
 */
export const FeedbackForm = later<FeedbackFormProps>((pages) => pages.Form);
