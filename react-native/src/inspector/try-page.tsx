/** What a developer tries first: a network that fails, one event of each kind, and a crash. */
import { useState } from 'react';
import { View } from 'react-native';
import { Button, Card, Choice, Heading, Row, ScrollPage, StyledText } from '../overlay/parts';
import { type Fault, isWrong, setFault, status, why } from './client';
import { CrashCards } from './crash-cards';
import { LastRunCard } from './last-run-card';
import { makeSamples, type Sample } from './samples';
import { oneLine } from './text';
import { useAnswer } from './use-answer';

const FAULTS: readonly (readonly [fault: Fault, text: string])[] = [
  ['none', 'None'],
  ['offline', 'Offline'],
  ['refuse', 'Answer 503'],
  ['slow', 'Slow'],
];

export function TryPage({ onNotice }: { onNotice: (text: string) => void }) {
  // Of the engine: a fault outlives the page and the bundle, since it is there to watch the app.
  const { answer, again } = useAnswer(status, 'fault');
  const known = answer === undefined || isWrong(answer) ? undefined : answer;
  // Kept with their number: the same kinds are made again by the next press.
  const [made, setMade] = useState<{ round: number; samples: Sample[] }>({ round: 0, samples: [] });

  const choose = async (chosen: Fault) => {
    const given = await setFault(chosen);
    if (isWrong(given)) return onNotice(given.error);
    again();
    onNotice(chosen === 'none' ? '' : 'The fault stays on when the inspector is closed, until the app ends.');
  };

  const make = async () => {
    const samples = await makeSamples();
    setMade(({ round }) => ({ round: round + 1, samples }));
  };

  return (
    <ScrollPage>
      <Heading text="Network fault" />
      <View role="radiogroup">
        <Row>
          {FAULTS.map(([one, text]) => (
            <Choice
              key={one}
              role="radio"
              text={text}
              testID={`rez-inspector-fault-${one}`}
              chosen={known?.fault === one}
              onPress={() => void choose(one)}
            />
          ))}
        </Row>
      </View>
      <Heading text="One of each kind" />
      <StyledText faint>They go to every destination that `init` names.</StyledText>
      <Row>
        <Button text="Make one of each kind" testID="rez-inspector-make" onPress={() => void make()} />
      </Row>
      {made.samples.map((sample) => (
        <Made key={`${made.round} ${sample.kind}`} sample={sample} />
      ))}
      <Heading text="The last run" />
      <LastRunCard />
      <CrashCards onNotice={onNotice} nativeCrashes={known?.nativeCrashes} />
    </ScrollPage>
  );
}

function Made({ sample: { kind, id } }: { sample: Sample }) {
  return (
    <Card testID={`rez-inspector-made-${kind}`}>
      <StyledText style={{ fontWeight: '600' }}>{kind}</StyledText>
      {id === '' ? (
        <StyledText bad>not recorded: a hook dropped it, or the engine does not answer</StyledText>
      ) : (
        <Answer id={id} />
      )}
    </Card>
  );
}

/** The answer of `why`, asked again until it can no longer change. */
function Answer({ id }: { id: string }) {
  const { answer } = useAnswer(() => why(id), id, {
    everyMs: 1_000,
    isLast: (given) => !isWrong(given) && given.final,
  });
  if (answer === undefined) return <StyledText faint>asking</StyledText>;
  if (isWrong(answer)) return <StyledText bad>{answer.error}</StyledText>;
  return <StyledText faint={!answer.final}>{oneLine(answer.why, 500)}</StyledText>;
}
