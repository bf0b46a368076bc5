/** The app's own form in which a user writes about an error, in the place of that of this package. */
import { shared } from './carrier';

type OpenForm = (eventId: string) => void;

const forms = () => shared('report', () => ({ open: undefined as OpenForm | undefined }));

/** Offers a form: `open` is called with the id of the event that it is about. Returns what withdraws it. */
export function onReport(open: OpenForm): () => void {
  const known = forms();
  known.open = open;
  return () => {
    if (known.open === open) known.open = undefined;
  };
}

/** Opens the form. False: there is none. */
export function openReport(eventId: string): boolean {
  const { open } = forms();
  if (typeof open !== 'function') return false;
  open(eventId);
  return true;
}
