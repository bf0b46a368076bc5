/** A channel that is served as long as a component is mounted. */
import { useEffect } from 'react';
import { quietly } from '../core/guard';
import { sayAlways } from '../core/say';
import { type Channel, serve } from './messages';

/**
 * Serves the channel that `open` resolves to. The channel itself stays open, since all components of the app share it. What goes wrong
 * is one line of the log, and never an error of the app.
 */
export function useChannel(tool: string, open: () => Promise<Channel>): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tool is a constant of the caller
  useEffect(() => {
    let isMounted = true;
    let stop = () => {};
    open().then(
      (channel) => {
        if (isMounted) stop = serve(channel);
      },
      (error) => sayAlways(`${tool} cannot show the queue: ${String(error)}`),
    );
    return () => {
      isMounted = false;
      quietly(stop);
    };
  }, []);
}
