/** The queue: which events are listed, and the list. */
import { useEffect, useState } from 'react';
import { ScrollView, View } from 'react-native';
import { Choice, Field } from '../overlay/parts';
import type { Filter, StateFilter } from './client';
import { EventList } from './event-list';
import { KINDS } from './samples';

const STATES: readonly (readonly [text: string, state: StateFilter | undefined])[] = [
  ['All', undefined],
  ['Queued', 'queued'],
  ['Sent', 'delivered'],
  ['Dropped', 'dropped'],
  ['Dead', 'dead'],
];

/** How long nobody types before the list is searched, in milliseconds: a search reads every row. */
const TYPED_MS = 300;

export interface QueuePageProps {
  filter: Filter;
  onFilter: (change: Filter) => void;
  onOpen: (id: string) => void;
  onNotice: (text: string) => void;
}

export function QueuePage({ filter, onFilter, onOpen, onNotice }: QueuePageProps) {
  const settled = useSettled(filter);
  return (
    <View style={{ flex: 1, gap: 8 }}>
      <View style={{ paddingHorizontal: 12, gap: 8 }}>
        <ScrollView horizontal role="tablist" showsHorizontalScrollIndicator={false} style={STRIP}>
          <View style={{ flexDirection: 'row', gap: 8 }}>
            {STATES.map(([text, state]) => (
              <Choice
                key={text}
                role="tab"
                text={text}
                testID={`rez-inspector-state-${text.toLowerCase()}`}
                chosen={filter.state === state}
                onPress={() => onFilter(changed(filter, 'state', state))}
              />
            ))}
          </View>
        </ScrollView>
        <Field
          label="Filter by text"
          testID="rez-inspector-text"
          value={filter.text ?? ''}
          onChangeText={(text) => onFilter(changed(filter, 'text', text === '' ? undefined : text))}
          autoCapitalize="none"
          autoCorrect={false}
          maxLength={200}
        />
        <ScrollView horizontal showsHorizontalScrollIndicator={false} style={STRIP}>
          <View style={{ flexDirection: 'row', gap: 8 }}>
            <Choice
              role="switch"
              text="Since the mark"
              testID="rez-inspector-since-mark"
              chosen={filter.since_mark === true}
              onPress={() => onFilter(changed(filter, 'since_mark', filter.since_mark ? undefined : true))}
            />
            {KINDS.map((kind) => (
              <Choice
                key={kind}
                role="switch"
                text={kind}
                label={`Only ${kind}`}
                testID={`rez-inspector-kind-${kind}`}
                chosen={filter.kind === kind}
                onPress={() => onFilter(changed(filter, 'kind', filter.kind === kind ? undefined : kind))}
              />
            ))}
          </View>
        </ScrollView>
      </View>
      <EventList key={JSON.stringify(settled)} filter={settled} onOpen={onOpen} onNotice={onNotice} />
    </View>
  );
}

/** A strip that scrolls sideways takes the height of its content only. */
const STRIP = { flexGrow: 0 } as const;

/** The filter with one member changed; without the member if it is undefined. */
function changed<K extends keyof Filter>(filter: Filter, name: K, value: Filter[K] | undefined): Filter {
  const { [name]: _, ...rest } = filter;
  return value === undefined ? rest : { ...rest, [name]: value };
}

/** The filter with the text that stood still for a moment. Everything else takes effect at once. */
function useSettled(filter: Filter): Filter {
  const { text } = filter;
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return changed(filter, 'text', settled);
}
