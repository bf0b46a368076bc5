/** One event: its payload, its clocks, and where it is on its way to each destination. */
import { Platform } from 'react-native';
import { Button, Card, Heading, Row, ScrollPage, StyledText } from '../overlay/parts';
import { type Detail, isWrong, type RouteState, show } from './client';
import { share } from './share';
import { instant, oneLine, pretty } from './text';
import { useAnswer } from './use-answer';

export function EventPage({
  id,
  onBack,
  onNotice,
}: {
  id: string;
  onBack: () => void;
  onNotice: (text: string) => void;
}) {
  const { answer } = useAnswer(() => show(id), id);
  return (
    <ScrollPage>
      <Row>
        <Button quiet text="Back" label="Back to the list" testID="rez-inspector-back" onPress={onBack} />
        {answer !== undefined && !isWrong(answer) && (
          <Button
            quiet
            text="Share event"
            label="Share the payload of this event"
            testID="rez-inspector-share-event"
            onPress={() => void share(JSON.stringify(answer.json)).then(onNotice)}
          />
        )}
      </Row>
      {answer === undefined ? null : isWrong(answer) ? (
        <StyledText bad testID="rez-inspector-error">
          {answer.error}
        </StyledText>
      ) : (
        <Facts detail={answer} />
      )}
    </ScrollPage>
  );
}

function Facts({ detail: { event, json, wall_ms, mono_ms, why } }: { detail: Detail }) {
  return (
    <>
      <Heading text={oneLine(event.name || event.kind)} />
      <StyledText testID="rez-inspector-why">{oneLine(why, 2_000)}</StyledText>
      <Card>
        <StyledText selectable>{`id ${oneLine(event.id)}`}</StyledText>
        <StyledText>
          {[`kind ${oneLine(event.kind)}`, event.level && `level ${oneLine(event.level)}`, `${event.bytes} bytes`]
            .filter(Boolean)
            .join(', ')}
        </StyledText>
        <StyledText testID="rez-inspector-wall">{`wall clock ${instant(wall_ms)}`}</StyledText>
        <StyledText testID="rez-inspector-mono">{`${(mono_ms / 1_000).toFixed(3)} s after the device was started`}</StyledText>
      </Card>
      {event.routes.length > 0 && (
        <Card>
          {event.routes.map((route, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: an engine of another version can repeat a name
            <StyledText key={at} testID={`rez-inspector-route-${at}`}>
              {routeText(route)}
            </StyledText>
          ))}
        </Card>
      )}
      <Card>
        <StyledText
          selectable
          testID="rez-inspector-json"
          style={{ fontFamily: Platform.OS === 'ios' ? 'Menlo' : 'monospace', fontSize: 12 }}
        >
          {pretty(json)}
        </StyledText>
      </Card>
    </>
  );
}

function routeText({ route, state, text }: RouteState): string {
  const words = state.replace('_', ' ');
  // The sentence of the engine often says the state itself.
  const sentence = text === '' ? words : text.includes(words) ? text : `${words}: ${text}`;
  return oneLine(`${route}: ${sentence}`, 1_000);
}
