/** What waits for each destination, and why. */
import { ScrollView } from 'react-native';
import { client } from '../core/carrier';
import { Card, Heading, StyledText } from '../overlay/parts';
import { type Count, isWrong, type RouteStatus, type Status, status } from './client';
import { oneLine, timeOfDay } from './text';
import { useAnswer } from './use-answer';

export function StatusPage() {
  const { answer } = useAnswer(status, 'status');
  return (
    <ScrollView style={{ flex: 1 }} contentContainerStyle={{ padding: 12, gap: 12, paddingBottom: 40 }}>
      {answer === undefined ? null : isWrong(answer) ? (
        <StyledText bad testID="rez-inspector-error">
          {answer.error}
        </StyledText>
      ) : (
        <Destinations status={answer} />
      )}
    </ScrollView>
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
      {routes.map((route) => (
        <Card key={route.route} testID={`rez-inspector-status-${route.route}`}>
          <Heading text={oneLine(route.route)} />
          <StyledText>{flow(route)}</StyledText>
          {route.dropped.length > 0 && <StyledText bad>{`dropped: ${reasons(route.dropped)}`}</StyledText>}
          {route.stopped && <StyledText bad>paused: nothing is sent until `resumeDestination`</StyledText>}
          {route.held && <StyledText>{waits(route.held)}</StyledText>}
        </Card>
      ))}
      {refused.length > 0 && (
        <Card testID="rez-inspector-refused">
          <Heading text="Refused before the queue" />
          <StyledText bad>{reasons(refused)}</StyledText>
        </Card>
      )}
      <Card testID="rez-inspector-lines">
        {lines.map((line) => (
          <StyledText key={line} selectable>
            {oneLine(line, 500)}
          </StyledText>
        ))}
      </Card>
    </>
  );
}

function flow({ queued, delivered, inFlight }: RouteStatus): string {
  return `${queued} queued, ${delivered} delivered${inFlight ? ', a request is on its way' : ''}`;
}

function waits({ why, until_ms, failures }: NonNullable<RouteStatus['held']>): string {
  const after = failures > 0 ? `, after ${failures} ${failures === 1 ? 'failure' : 'failures'}` : '';
  if (until_ms === undefined) return `waits: ${oneLine(why, 300)}${after}`;
  const seconds = Math.max(Math.round((until_ms - client().clock.wallMs()) / 1_000), 0);
  return `waits: ${oneLine(why, 300)}; next attempt ${timeOfDay(until_ms)} (in ${seconds} s)${after}`;
}

function reasons(counts: readonly Count[]): string {
  return counts.map(({ reason, count }) => `${oneLine(reason, 40)} ${count}`).join(', ');
}
