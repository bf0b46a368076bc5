/** The list of events, page by page. */
import { useRef, useState } from 'react';
import { type EventRow, type Filter, isWrong, list, type Page } from './client';
import { useAnswer } from './use-answer';

export interface Events {
  /** Undefined until the first answer. */
  rows: EventRow[] | undefined;
  /** Why there is no list, or no next page. */
  error: string | undefined;
  /** Whether there are older ones. */
  more: boolean;
  loadMore: () => void;
  /** Back to the newest page. */
  refresh: () => void;
}

/** The pages behind the newest one. */
interface Older extends Page {
  error?: string;
}

/**
 * Asks for the newest page, again and again while it is the only one, and for the next one when `loadMore` is called. The filter of its
 * first call counts: a component is keyed by it.
 */
export function useEvents(filter: Filter): Events {
  const [older, setOlder] = useState<Older>();
  // A newer page at the front would leave a gap behind it.
  const { answer, again } = useAnswer(() => list(filter), '', { isPaused: older !== undefined });
  /** The question for a next page that is on its way. */
  const asked = useRef<object>(undefined);

  const first = answer === undefined || isWrong(answer) ? undefined : answer;
  const before = (older ?? first)?.before;

  const loadMore = async () => {
    if (asked.current !== undefined || before == null) return;
    const question = {};
    asked.current = question;
    const events = older?.events ?? [];
    setOlder({ events, before });
    const next = await list(filter, before);
    // Refreshed meanwhile.
    if (asked.current !== question) return;
    asked.current = undefined;
    setOlder(
      isWrong(next)
        ? { events, before, error: next.error }
        : { events: [...events, ...next.events], before: next.before },
    );
  };

  const refresh = () => {
    asked.current = undefined;
    setOlder(undefined);
    again();
  };

  return {
    rows: first && unique(first.events, older?.events ?? []),
    error: answer !== undefined && isWrong(answer) ? answer.error : older?.error,
    more: before != null,
    loadMore: () => void loadMore(),
    refresh,
  };
}

/** Each event once: an engine that answers with one twice must not break the list. */
function unique(first: EventRow[], older: EventRow[]): EventRow[] {
  const seen = new Set<number>();
  return [...first, ...older].filter(({ seq }) => !seen.has(seq) && seen.add(seq));
}
