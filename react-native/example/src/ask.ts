/** Asks the API once, when a screen is shown. */
import { useEffect, useState } from 'react';

export interface Answer<T> {
  data?: T;
  error?: string;
}

/** `key` names what is asked for: another key asks again. */
export function useAnswer<T>(key: string, ask: () => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: `ask` is new with every render; the key says when it differs
  useEffect(() => {
    let shown = true;
    ask().then(
      (data) => shown && setAnswer({ data }),
      (error: Error) => shown && setAnswer({ error: error.message }),
    );
    return () => {
      shown = false;
    };
  }, [key]);
  return answer;
}
