/** How the last run ended, and crashes on purpose. */
import { useState } from 'react';
import type { LastRun } from '../core/answers';
import { client } from '../core/carrier';
import { hasOwn } from '../core/read';
import { Button, Card, Heading, StyledText } from '../overlay/parts';
import { CRASHES, type Crash } from './crashes';
import { oneLine } from './text';
import { useAnswer } from './use-answer';

/** How long the engine may take, in milliseconds. */
const WAIT_MS = 5_000;

const ENDS: Readonly<Record<string, string>> = {
  closed: 'it was closed',
  exited: 'the system ended it in the background',
  abnormal: 'it ended in the foreground, and nobody says why',
};

interface Told {
  onNotice: (text: string) => void;
  /** Undefined: not known. */
  nativeCrashes: boolean | undefined;
}

export function CrashCards(props: Told) {
  // What the first press has chosen, so that one press ends nothing.
  const [chosen, choose] = useState('');
  return (
    <>
      <Heading text="The last run" />
      <LastRunCard />
      <Heading text="Crash the app" />
      <StyledText faint>A crash is sent to every destination that `init` names.</StyledText>
      {CRASHES.map((crash) => (
        <CrashCard
          key={crash.name}
          crash={crash}
          isChosen={chosen === crash.name}
          onChosen={(is) => choose(is ? crash.name : '')}
          {...props}
        />
      ))}
    </>
  );
}

function LastRunCard() {
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

function CrashCard({
  crash: { name, text, next, isNative, make },
  isChosen,
  onChosen,
  onNotice,
  nativeCrashes,
}: Told & { crash: Crash; isChosen: boolean; onChosen: (is: boolean) => void }) {
  const press = () => {
    onChosen(!isChosen);
    if (isChosen) onNotice(make());
  };
  return (
    <Card testID={`rez-inspector-crash-card-${name}`}>
      <StyledText style={{ fontWeight: '600' }}>{text}</StyledText>
      <StyledText faint>{next}</StyledText>
      {isNative && nativeCrashes === false && (
        <StyledText bad>
          The engine does not capture it: that needs `nativeCrashes: true`, on Android. The next start knows what the
          system says.
        </StyledText>
      )}
      <Button
        quiet={!isChosen}
        text={isChosen ? 'Press again' : 'Do it'}
        label={`${isChosen ? 'Press again' : 'Do it'}: ${text}`}
        testID={`rez-inspector-crash-${name}`}
        onPress={press}
      />
    </Card>
  );
}
