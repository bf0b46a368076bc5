/** The inspector: what is in the queue of this device, and why. */
import { useState } from 'react';
import { View } from 'react-native';
import { Button, Choice, Field, Heading, Row, StyledText } from '../overlay/parts';
import { useTheme } from '../overlay/theme';
import { type Filter, isWrong, mark, sendNow } from './client';
import { EventPage } from './event-page';
import { QueuePage } from './queue-page';
import { StatusPage } from './status-page';
import { oneLine } from './text';
import { TryPage } from './try-page';

const PAGES = ['Queue', 'Status', 'Try'] as const;

export function InspectorPages({ onClose }: { onClose?: (() => void) | undefined }) {
  const theme = useTheme();
  const [page, setPage] = useState<(typeof PAGES)[number]>('Queue');
  const [filter, setFilter] = useState<Filter>({});
  const [opened, setOpened] = useState('');
  const [notice, setNotice] = useState('');

  return (
    <View testID="rez-inspector" style={{ flex: 1, backgroundColor: theme.page }}>
      <View style={{ padding: 12, gap: 8 }}>
        <View style={{ flexDirection: 'row', justifyContent: 'space-between', alignItems: 'center' }}>
          <Heading text="REZ Monitor" />
          {onClose && <Button quiet text="Close" testID="rez-inspector-close" onPress={onClose} />}
        </View>
        <View role="tablist">
          <Row>
            {PAGES.map((text) => (
              <Choice
                key={text}
                role="tab"
                text={text}
                testID={`rez-inspector-page-${text.toLowerCase()}`}
                chosen={page === text}
                onPress={() => {
                  setPage(text);
                  setOpened('');
                  setNotice('');
                }}
              />
            ))}
          </Row>
        </View>
        <Actions onNotice={setNotice} />
        {notice !== '' && (
          <StyledText testID="rez-inspector-notice" aria-live="polite">
            {notice}
          </StyledText>
        )}
      </View>
      {opened !== '' ? (
        <EventPage id={opened} onBack={() => setOpened('')} onNotice={setNotice} />
      ) : page === 'Queue' ? (
        <QueuePage filter={filter} onFilter={setFilter} onOpen={setOpened} onNotice={setNotice} />
      ) : page === 'Status' ? (
        <StatusPage />
      ) : (
        <TryPage onNotice={setNotice} />
      )}
    </View>
  );
}

/** What is possible on every page: a mark, and a request now. */
function Actions({ onNotice }: { onNotice: (text: string) => void }) {
  const [name, setName] = useState('');
  const markNow = async () => {
    const text = name.trim() || 'mark';
    setName('');
    const answer = await mark(text);
    onNotice(isWrong(answer) ? answer.error : `Marked: ${text}`);
  };
  const send = async () => {
    onNotice('Sending');
    const answer = await sendNow();
    if (isWrong(answer)) onNotice(answer.error);
    else onNotice(answer.map((text) => oneLine(text, 300)).join('\n') || 'There is no destination to send to.');
  };
  return (
    <View style={{ flexDirection: 'row', gap: 8 }}>
      <View style={{ flex: 1 }}>
        <Field
          label="Mark name"
          testID="rez-inspector-mark-name"
          value={name}
          onChangeText={setName}
          onSubmitEditing={() => void markNow()}
          maxLength={100}
        />
      </View>
      <Button
        quiet
        text="Mark"
        label="Mark this moment in the list"
        testID="rez-inspector-mark"
        onPress={() => void markNow()}
      />
      <Button text="Send now" testID="rez-inspector-send" onPress={() => void send()} />
    </View>
  );
}
