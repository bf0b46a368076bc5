/** Crashes on purpose. */
import { useState } from 'react';
import { Button, Card, Heading, StyledText } from '../overlay/parts';
import { CRASHES, type Crash } from './crashes';

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
