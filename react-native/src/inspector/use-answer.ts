/** A question to the engine that a component asks while it is shown. */
import { useEffect, useRef, useState } from 'react';

interface Options<T> {
  /** How often it is asked again, in milliseconds. Default 2,000. */
  everyMs?: number;
  /** Whether an answer can no longer change: then it is the last one. */
  isLast?: (answer: T) => boolean;
}

interface Answered<T> {
  answer?: T;
  /** Whether the answer to the latest `again` is still on its way. */
  isOld: boolean;
  again: () => void;
}

/**
 * The answer to `question`, asked anew when `key` changes, by `again`, and every `everyMs`. The former answer stays until the new one is
 * there; an answer that comes after a newer question was asked is not shown.
 */
export function useAnswer<T>(question: () => Promise<T>, key: string, options: Options<T> = {}): Answered<T> {
  const [given, setGiven] = useState<{ answer: T; turn: number }>();
  const [turn, setTurn] = useState(0);
  const latest = useRef({ question, ...options });
  latest.current = { question, ...options };
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` says when to ask anew
  useEffect(() => {
    let isShown = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      const answer = await latest.current.question();
      if (!isShown) return;
      setGiven({ answer, turn });
      if (latest.current.isLast?.(answer)) return;
      timer = setTimeout(() => void ask(), latest.current.everyMs ?? 2_000);
    };
    void ask();
    return () => {
      isShown = false;
      clearTimeout(timer);
    };
  }, [key, turn]);
  return {
    ...(given !== undefined && { answer: given.answer }),
    isOld: given !== undefined && given.turn !== turn,
    again: () => setTurn((before) => before + 1),
  };
}
