/** What became of an event: asked when the user taps, since the answer changes until it is delivered. */
import { why } from '@rez/monitor';
import { useState } from 'react';
import { Text } from 'react-native';
import { text } from './theme';
import { Button } from './ui';

export function Why({ eventId }: { eventId: string }) {
  const [answer, setAnswer] = useState('');
  if (eventId === '') return <Text style={text.faint}>Nothing was recorded: there is no engine here.</Text>;
  const ask = async () => {
    const { text: sentence, error } = await why(eventId);
    setAnswer(String(sentence ?? error));
  };
  return (
    <>
      <Text style={text.faint}>Event {eventId}</Text>
      <Button quiet label="What became of it?" testID="why" onPress={ask} />
      {answer !== '' && (
        <Text testID="why-answer" style={text.body}>
          {answer}
        </Text>
      )}
    </>
  );
}
