/** The form itself. */
import { useState } from 'react';
import { ScrollView } from 'react-native';
import { captureFeedback } from '../api/capture';
import { carrier } from '../core/carrier';
import { Button, Field, Heading, Row, StyledText } from '../overlay/parts';
import { useTheme } from '../overlay/theme';
import type { FeedbackFormProps } from './feedback-form';
import { optionsOf, textsOf } from './texts';

/** Characters. In every script they fit the bytes that the engine keeps: 8,192 of a message, 200 of a name. */
const LONGEST = { name: 60, email: 254, message: 2_700 };

export function Form(props: FeedbackFormProps) {
  const { onClose, onSent } = props;
  const options = optionsOf(props);
  const texts = textsOf(options.texts);
  const theme = useTheme();
  const [name, setName] = useState(options.name ?? carrier().user?.username ?? '');
  const [email, setEmail] = useState(options.email ?? carrier().user?.email ?? '');
  const [message, setMessage] = useState('');
  const [state, setState] = useState<'writing' | 'empty' | 'failed' | 'sent'>('writing');
  const close = typeof onClose === 'function' ? onClose : undefined;

  const send = () => {
    const text = message.trim();
    if (text === '') return setState('empty');
    const id = captureFeedback(text, {
      ...(name.trim() !== '' && { name: name.trim() }),
      ...(email.trim() !== '' && { email: email.trim() }),
      ...(options.eventId !== undefined && options.eventId !== '' && { eventId: options.eventId }),
    });
    setState(id === '' ? 'failed' : 'sent');
    if (id !== '' && typeof onSent === 'function') onSent(id);
  };

  return (
    <ScrollView
      testID="rez-feedback"
      style={{ flex: 1, backgroundColor: theme.page }}
      contentContainerStyle={{ padding: 16, gap: 12 }}
      keyboardShouldPersistTaps="handled"
    >
      <Heading text={texts.title} />
      {state === 'sent' ? (
        <>
          <StyledText testID="rez-feedback-thanks" aria-live="polite">
            {texts.thanks}
          </StyledText>
          {close && <Button text={texts.close} testID="rez-feedback-close" onPress={close} />}
        </>
      ) : (
        <>
          <Field
            label={texts.name}
            testID="rez-feedback-name"
            value={name}
            onChangeText={setName}
            maxLength={LONGEST.name}
            autoComplete="name"
          />
          <Field
            label={texts.email}
            testID="rez-feedback-email"
            value={email}
            onChangeText={setEmail}
            maxLength={LONGEST.email}
            inputMode="email"
            autoComplete="email"
            autoCapitalize="none"
            autoCorrect={false}
          />
          <Field
            label={texts.message}
            testID="rez-feedback-message"
            value={message}
            onChangeText={setMessage}
            maxLength={LONGEST.message}
            multiline
          />
          {state !== 'writing' && (
            <StyledText bad testID="rez-feedback-wrong" aria-live="polite">
              {texts[state]}
            </StyledText>
          )}
          <Row>
            <Button text={texts.send} testID="rez-feedback-send" onPress={send} />
            {close && <Button quiet text={texts.cancel} testID="rez-feedback-cancel" onPress={close} />}
          </Row>
        </>
      )}
    </ScrollView>
  );
}
