/** The list of events, page by page. */
import { useRef, useState } from 'react';
import { type EventRow, type Filter, isWrong, list, PAGE, type Page, type Wrong } from './client';
import { useAnswer } from './use-answer';

/** Requests for one page. The engine examines 1,000 events at most for each, and a filter can pass over all of them. */
const REQUESTS = 5;

export interface Events {
  /** Undefined until the first answer. */
  rows: EventRow[] | undefined;
  /** Why there is no list, or no next page. */
  error: string | undefined;
  /** Whether there are older ones, or events that were not searched yet. */
  more: boolean;
  /** Whether there are newer ones, which `refresh` shows. */
  newer: boolean;
  loadMore: () => void;
  /** Back to the newest page. */
  refresh: () => void;
}

/** The newest page when the next one was asked for, and what came after it. */
interface Kept extends Page {
  error?: string;
}

/**
 * Asks for the newest page again and again, and for the next one when `loadMore` is called. From then on the newest page is no longer
 * shown by itself, since it would leave a gap before the older ones. The filter of its first call counts: a component is keyed by it.
 */
export function useEvents(filter: Filter): Events {
  const [kept, setKept] = useState<Kept>();
  const { answer, isOld, again } = useAnswer(() => fullPage(filter), '');
  /** The question for a next page that is on its way. */
  const asked = useRef<object>(undefined);

  const newest = answer === undefined || isWrong(answer) ? undefined : answer;
  const shown: Kept | undefined = kept ?? newest;

  const loadMore = async () => {
    // After a refresh, the end of the former page must not keep that page.
    if (asked.current !== undefined || isOld || shown?.before == null) return;
    const { events, before } = shown;
    const question = {};
    asked.current = question;
    setKept({ events, before });
    const next = await fullPage(filter, before);
    // Refreshed meanwhile.
    if (asked.current !== question) return;
    asked.current = undefined;
    setKept(
      isWrong(next)
        ? { events, before, error: next.error }
        : { events: unique([...events, ...next.events]), before: next.before },
    );
  };

  const refresh = () => {
    asked.current = undefined;
    setKept(undefined);
    again();
  };

  return {
    rows: shown && unique(shown.events),
    error: answer !== undefined && isWrong(answer) ? answer.error : kept?.error,
    more: shown?.before != null,
    newer: kept !== undefined && (newest?.events[0]?.seq ?? 0) > (kept.events[0]?.seq ?? 0),
    loadMore: () => void loadMore(),
    refresh,
  };
}

/** A page of as many events as there are, within {@link REQUESTS}. What is found before a request fails stays. */
async function fullPage(filter: Filter, from?: number): Promise<Page | Wrong> {
  const page: Page = { events: [], before: from ?? null };
  for (let request = 0; request < REQUESTS; request++) {
    const next = await list(filter, page.before ?? undefined, PAGE - page.events.length);
    if (isWrong(next)) return page.events.length > 0 ? page : next;
    page.events.push(...next.events);
    page.before = next.before;
    if (page.before === null || page.events.length >= PAGE) break;
  }
  return page;
}

/** Each event once: an engine that answers with one twice must not break the list. */
function unique(events: EventRow[]): EventRow[] {
  const seen = new Set<number>();
  return events.filter(({ seq }) => !seen.has(seq) && seen.add(seq));
}
