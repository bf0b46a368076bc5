/** How the run before this one ended. */
import type { LastRun } from '../core/answers';
import { client } from '../core/carrier';
import { hasOwn } from '../core/read';
import { Card, StyledText } from '../overlay/parts';
import { oneLine } from './text';
import { useAnswer } from './use-answer';

/** How long the engine may take, in milliseconds. */
const WAIT_MS = 5_000;

const ENDS: Readonly<Record<string, string>> = {
  closed: 'it was closed',
  exited: 'it ended in the background, or the system reports no fault',
  abnormal: 'it ended in the foreground without `close`',
};

export function LastRunCard() {
  const { answer } = useAnswer(() => client().lastRun(WAIT_MS), 'last run', { isLast: () => true });
  return (
    <Card testID="rez-inspector-last-run">
      <StyledText bad={answer?.ended === 'crashed'} selectable>
        {answer === undefined ? 'asking' : sentence(answer)}
      </StyledText>
    </Card>
  );
}

function sentence(last: LastRun | null): string {
  if (last === null) return 'Nothing is known of a run before this one.';
  const { ended, crash } = last;
  if (ended !== 'crashed')
    return `The last run did not crash: ${hasOwn(ENDS, ended) ? ENDS[ended] : 'how it ended is not known'}.`;
  if (crash === null) return 'The last run crashed. Its crash is no longer in the queue.';
  const parts = [
    crash.type,
    crash.mechanism,
    crash.sinceStartMs === undefined ? undefined : `${(crash.sinceStartMs / 1_000).toFixed(1)} s after the start`,
    crash.supportCode === undefined ? undefined : `support code ${crash.supportCode}`,
  ];
  return `The last run crashed: ${parts.flatMap((part) => (part ? [oneLine(part, 200)] : [])).join(', ')}.`;
}
