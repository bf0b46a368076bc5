/** The events of a filter. */
import { FlatList, View } from 'react-native';
import { Button, Row, StyledText } from '../overlay/parts';
import { type Filter, PAGE } from './client';
import { EventItem } from './event-row';
import { ndjson, share } from './share';
import { useEvents } from './use-events';

interface Props {
  filter: Filter;
  onOpen: (id: string) => void;
  onNotice: (text: string) => void;
}

export function EventList({ filter, onOpen, onNotice }: Props) {
  const { rows, error, more, newer, loadMore, refresh } = useEvents(filter);
  const isFiltered = Object.keys(filter).length > 0;

  const shareList = async () => {
    const { text, count } = ndjson(rows ?? []);
    const problem = await share(text);
    const all = rows?.length ?? 0;
    onNotice(problem || (count < all ? `Shared the newest ${count} of ${all} events: a share holds 256 KiB.` : ''));
  };

  return (
    <View style={{ flex: 1, gap: 8 }}>
      <View style={{ paddingHorizontal: 12, gap: 8 }}>
        <Row>
          <Button quiet text="Refresh" testID="rez-inspector-refresh" onPress={refresh} />
          <Button
            quiet
            text="Share list"
            label="Share the events that are listed"
            testID="rez-inspector-share-list"
            disabled={rows === undefined || rows.length === 0}
            onPress={() => void shareList()}
          />
          <StyledText faint testID="rez-inspector-count">
            {rows === undefined ? (error === undefined ? 'asking' : '') : `${rows.length}${more ? '+' : ''} events`}
          </StyledText>
        </Row>
        {newer && (
          <StyledText testID="rez-inspector-newer" aria-live="polite">
            There are newer events. Refresh shows them.
          </StyledText>
        )}
        {error !== undefined && (
          <StyledText bad testID="rez-inspector-error" aria-live="polite">
            {error}
          </StyledText>
        )}
      </View>
      <FlatList
        testID="rez-inspector-list"
        style={{ flex: 1 }}
        data={rows ?? []}
        keyExtractor={({ seq }) => String(seq)}
        renderItem={({ item }) => <EventItem event={item} onOpen={onOpen} />}
        initialNumToRender={20}
        maxToRenderPerBatch={PAGE}
        onEndReached={loadMore}
        onEndReachedThreshold={1}
        keyboardShouldPersistTaps="handled"
        ListEmptyComponent={
          rows === undefined || more ? null : (
            <StyledText faint testID="rez-inspector-empty" style={{ padding: 16 }}>
              {isFiltered ? 'No event matches the filter.' : 'The queue has no events yet.'}
            </StyledText>
          )
        }
        ListFooterComponent={
          more ? (
            <View style={{ padding: 12 }}>
              <Button quiet text="Search older" testID="rez-inspector-older" onPress={loadMore} />
            </View>
          ) : null
        }
      />
    </View>
  );
}
