/** Tasks that block the JavaScript thread, where the engine of JavaScript measures them (React Native 0.83 and later). */
import { quietly } from '../core/guard';
import type { Source } from './source';

interface Entry {
  name: string;
  duration: number;
}

interface Observer {
  observe(options: { type: string }): void;
  disconnect(): void;
}

export const longTasks: Source = (client) => {
  const scope = globalThis as {
    PerformanceObserver?: (new (
      callback: (list: { getEntries(): Entry[] }) => void,
    ) => Observer) & {
      supportedEntryTypes?: readonly string[];
    };
  };
  const Observers = scope.PerformanceObserver;
  if (!Observers?.supportedEntryTypes?.includes('longtask'))
    return 'long tasks: this version of React Native does not measure them';
  const observer = new Observers((list) =>
    quietly(() => {
      for (const { name, duration } of list.getEntries()) {
        client().record({
          kind: 'long_task',
          name: name || 'js',
          duration_us: Math.max(Math.round(duration * 1_000), 0),
        });
      }
    }),
  );
  observer.observe({ type: 'longtask' });
  return () => observer.disconnect();
};
