/** An event of the list. */
import { memo } from 'react';
import { Pressable, View } from 'react-native';
import { StyledText } from '../overlay/parts';
import { useTheme } from '../overlay/theme';
import type { EventRow, RouteState } from './client';
import { oneLine, timeOfDay } from './text';

const WRONG = ['dead', 'dropped'];

export const EventItem = memo(function EventItem({ event, onOpen }: { event: EventRow; onOpen: (id: string) => void }) {
  const theme = useTheme();
  const kind = oneLine(event.kind, 24);
  const name = oneLine(event.name);
  const time = timeOfDay(event.wall_ms);
  const states = event.routes.map((route) => stateText(route)).join(', ');
  const isBad = event.level === 'error' || event.level === 'fatal';
  return (
    <Pressable
      role="button"
      aria-label={[kind, name, time, states].filter((part) => part !== '').join(', ')}
      testID={`rez-inspector-event-${event.seq}`}
      onPress={() => onOpen(event.id)}
      style={{ padding: 12, gap: 2, borderBottomWidth: 1, borderColor: theme.line, backgroundColor: theme.card }}
    >
      <View style={{ flexDirection: 'row', gap: 8 }}>
        <StyledText faint>{time}</StyledText>
        <StyledText bad={isBad} style={{ fontWeight: '600' }}>
          {kind}
        </StyledText>
      </View>
      {name !== '' && <StyledText numberOfLines={2}>{name}</StyledText>}
      {event.routes.map((route, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an engine of another version can repeat a name
        <StyledText key={at} faint bad={WRONG.includes(route.state)} style={{ fontSize: 12 }}>
          {stateText(route)}
        </StyledText>
      ))}
    </Pressable>
  );
});

function stateText({ route, state }: RouteState): string {
  return oneLine(`${route}: ${state.replace('_', ' ')}`, 80);
}
