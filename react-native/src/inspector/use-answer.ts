/** A question to the engine that a component asks while it is shown. */
import { useEffect, useRef, useState } from 'react';

interface Options<T> {
  /** How often it is asked again, in milliseconds. Default 2,000. */
  everyMs?: number;
  /** While this is true it is not asked again, and the answer to a question on its way is not shown. */
  isPaused?: boolean;
  /** Whether an answer can no longer change: then it is the last one. */
  isLast?: (answer: T) => boolean;
}

/**
 * The answer to `question`, asked anew when `key` changes, by `again`, and every `everyMs`. The former answer stays until the new one is
 * there; an answer that comes after a newer question was asked is not shown.
 */
export function useAnswer<T>(
  question: () => Promise<T>,
  key: string,
  options: Options<T> = {},
): { answer?: T; again: () => void } {
  const [answer, setAnswer] = useState<T>();
  const [turn, setTurn] = useState(0);
  const latest = useRef({ question, ...options });
  latest.current = { question, ...options };
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` and `turn` say when to ask anew
  useEffect(() => {
    let isShown = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = () => {
      timer = setTimeout(() => (latest.current.isPaused ? later() : void ask()), latest.current.everyMs ?? 2_000);
    };
    const ask = async () => {
      const given = await latest.current.question();
      if (!isShown) return;
      if (latest.current.isPaused) return later();
      setAnswer(given);
      if (!latest.current.isLast?.(given)) later();
    };
    void ask();
    return () => {
      isShown = false;
      clearTimeout(timer);
    };
  }, [key, turn]);
  return { ...(answer !== undefined && { answer }), again: () => setTurn((before) => before + 1) };
}
