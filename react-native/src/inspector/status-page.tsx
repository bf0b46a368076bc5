/** What waits for each destination, and why. */
import { Card, Heading, ScrollPage, StyledText } from '../overlay/parts';
import { type Count, isWrong, type Status, status } from './client';
import { oneLine } from './text';
import { useAnswer } from './use-answer';

export function StatusPage() {
  const { answer } = useAnswer(status, 'status');
  return (
    <ScrollPage>
      {answer === undefined ? null : isWrong(answer) ? (
        <StyledText bad testID="rez-inspector-error">
          {answer.error}
        </StyledText>
      ) : (
        <Destinations status={answer} />
      )}
    </ScrollPage>
  );
}

function Destinations({ status: { routes, refused, lines } }: { status: Status }) {
  return (
    <>
      {routes.length === 0 && (
        <StyledText testID="rez-inspector-no-destination">
          No destination: events wait until `init` names one.
        </StyledText>
      )}
      {routes.map(({ route, line, stopped, delivered, dead, dropped }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an engine of another version can repeat a name
        <Card key={at} testID={`rez-inspector-status-${route}`}>
          <Heading text={oneLine(route)} />
          <StyledText bad={stopped}>{oneLine(line, 500)}</StyledText>
          <StyledText>{`${delivered} delivered`}</StyledText>
          {dead > 0 && <StyledText bad>{`${dead} dead: refused by the server, and kept`}</StyledText>}
          {dropped.length > 0 && <StyledText bad>{`dropped: ${reasons(dropped)}`}</StyledText>}
        </Card>
      ))}
      {refused.length > 0 && (
        <Card testID="rez-inspector-refused">
          <Heading text="Refused before the queue" />
          <StyledText bad>{reasons(refused)}</StyledText>
        </Card>
      )}
      <Card testID="rez-inspector-lines">
        {lines.map((line, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two lines can be the same
          <StyledText key={at} selectable>
            {oneLine(line, 500)}
          </StyledText>
        ))}
      </Card>
    </>
  );
}

function reasons(counts: readonly Count[]): string {
  return counts.map(({ reason, count }) => `${oneLine(reason, 40)} ${count}`).join(', ');
}
